import socket

import pytest

from scope_serve.errors import ConfigError
from scope_serve.serving.cluster import Cluster


def cluster(**options):
    defaults = {
        "address": None, "http_host": "127.0.0.1", "http_port": 9, "dashboard_port": 9,
    }  # fmt: skip
    return Cluster(**{**defaults, **options})


@pytest.mark.parametrize("address", ["nowhere", "ray://10.0.0.1:10001", "host:port", ":"])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(ConfigError, match="no address of a Ray cluster"):
        cluster(address=address).start()


def test_an_address_where_nobody_listens_is_refused_at_once():
    with pytest.raises(ConfigError, match="no Ray cluster answers"):
        cluster(address="127.0.0.1:1").start()


def test_a_port_in_use_is_named_with_its_option():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port} .*--port"):
            cluster(http_port=port).start()


def test_a_host_that_is_not_of_this_machine_is_named():
    with pytest.raises(ConfigError, match=r"203\.0\.113\.9"):
        cluster(http_host="203.0.113.9", http_port=9100).start()


def test_stopping_what_was_never_started_does_nothing():
    cluster().stop()
