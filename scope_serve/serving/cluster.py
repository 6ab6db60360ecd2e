"""Starts Ray and Serve, deploys a config, and takes it all away again."""

import logging
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any

import ray
from ray import serve
from ray.exceptions import RayError
from ray.serve.exceptions import RayServeException
from ray.serve.schema import ApplicationStatus, ApplicationStatusOverview, ServeStatus

from scope_serve.errors import ApplicationFailedError, ConfigError, ScopeServeError
from scope_serve.serving import ray_adapter
from scope_serve.serving.builders import SESSION_HOSTS
from scope_serve.serving.config_file import application_names
from scope_serve.serving.failures import last_words
from scope_serve.settings import set_defaults_for_children

POLL_INTERVAL_S = 0.2
STOP_TIMEOUT_S = 15.0
PROBE_TIMEOUT_S = 5.0
_FAILED = {ApplicationStatus.DEPLOY_FAILED, ApplicationStatus.UNHEALTHY}

SERVE_ENVIRONMENT = {
    # An actor that booked no GPU must not see one.
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
}
"""Settings of Ray that this package relies on; anything set already is left alone."""


class Cluster:
    """A Ray cluster with Serve on it, started here or joined.

    Args:
        address: Ray address of a cluster to join, or None to start one on this machine.
        http_host: Host that the API listens on, if Serve is started here.
        http_port: Port that the API listens on, if Serve is started here.
        dashboard_port: Port of Ray's dashboard (and of ``serve deploy``), if Ray is started here.
    """

    def __init__(
        self, *, address: str | None, http_host: str, http_port: int, dashboard_port: int
    ) -> None:
        self._address = address
        self._http_host = http_host
        self._http_port = http_port
        self._dashboard_port = dashboard_port
        self._served_before = False
        self._deployed: list[str] = []

    @property
    def is_joined(self) -> bool:
        """Whether the cluster ran before and will run on."""
        return self._address is not None

    def start(self) -> None:
        """Start or join Ray, and start Serve unless it runs.

        Raises:
            ConfigError: A port is taken, or there is no cluster at the address.
        """
        if self._address is None:
            _check_free(self._http_host, self._http_port, "--port")
            _check_free("127.0.0.1", self._dashboard_port, "--dashboard-port")
        else:
            _check_answers(self._address)
        set_defaults_for_children(SERVE_ENVIRONMENT)
        self._start_ray()
        self._served_before = _serve_runs()
        serve.start(
            proxy_location="HeadOnly" if not self.is_joined else "EveryNode",
            http_options={"host": self._http_host, "port": self._http_port},
        )

    def _start_ray(self) -> None:
        try:
            ray.init(
                address=self._address or "local",
                include_dashboard=True if self._address is None else None,
                dashboard_host="127.0.0.1",
                dashboard_port=self._dashboard_port if self._address is None else None,
                namespace="scope_serve",
                log_to_driver=False,
                configure_logging=False,
            )
        except (ConnectionError, RayError, RuntimeError, ValueError) as error:
            if self._address is None:
                raise
            found = f"the Ray cluster at {self._address!r} does not let us in: {error}"
            cure = "if it asks for a token, set RAY_AUTH_MODE=token and keep its token in"
            raise ConfigError(f"{found}; {cure} ~/.ray/auth_token") from error

    def deploy(self, config: Mapping[str, Any], *, replaces: bool = False) -> None:
        """Deploy ``config``; applications that run and are unchanged are left alone.

        Args:
            config: A checked Serve config.
            replaces: Delete applications that others deployed and the config does not have.

        Raises:
            ConfigError: There are such applications, and ``replaces`` is False.
        """
        names = application_names(config)
        others = sorted(ray_adapter.deployed_applications() - {*names, *self._deployed})
        if others and not replaces:
            listed = ", ".join(repr(name) for name in others)
            found = f"the cluster already serves {listed}, which this config would delete"
            raise ConfigError(f"{found}; add them to it, or say --replace")
        ray_adapter.deploy(config)
        self._deployed = names

    def wait_until_running(
        self, on_progress: Callable[[Mapping[str, ApplicationStatusOverview]], None]
    ) -> None:
        """Return when every deployed application runs.

        Args:
            on_progress: Called again and again with the state of each application.

        Raises:
            ApplicationFailedError: An application cannot start; carries Serve's reason.
        """
        while True:
            found = _applications(serve.status(), self._deployed)
            on_progress(found)
            for name, application in found.items():
                if application.status in _FAILED:
                    raise ApplicationFailedError(name, _reason(application))
            states = [application.status for application in found.values()]
            if len(states) == len(self._deployed) and all(
                state is ApplicationStatus.RUNNING for state in states
            ):
                return
            time.sleep(POLL_INTERVAL_S)

    @property
    def address(self) -> str:
        """Ray address of the cluster, for ``--address``."""
        return str(ray.get_runtime_context().gcs_address)

    @property
    def url(self) -> str:
        """Where the API listens, as a client on this machine reaches it."""
        host, port = ray_adapter.http_address()
        if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared with, not bound to
            host = "127.0.0.1"
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def leave(self) -> None:
        """Disconnect, and leave everything running. Idempotent."""
        if ray.is_initialized():
            ray.shutdown()
            ray_adapter.forget_serve()

    def stop(self) -> None:
        """Tell clients, take down what `deploy` put up, and what `start` started. Idempotent."""
        if not ray.is_initialized():
            return
        try:
            self._end_sessions()
            if self._served_before:
                for name in self._deployed:
                    serve.delete(name)
            elif self.is_joined:
                ray_adapter.shut_serve_down()
        except (RayError, RayServeException, TimeoutError, ScopeServeError) as error:
            # The cluster may be half gone already; what is left goes with Ray below.
            logging.getLogger(__name__).warning("Serve did not stop in order: %s", error)
        finally:
            self.leave()

    def _end_sessions(self) -> None:
        for name, application in _applications(serve.status(), self._deployed).items():
            if SESSION_HOSTS in application.deployments:
                hosts = serve.get_deployment_handle(SESSION_HOSTS, name)
                response = hosts.broadcast("close_all", "the server is shutting down")
                response.results(timeout_s=STOP_TIMEOUT_S)


def _applications(status: ServeStatus, names: list[str]) -> dict[str, ApplicationStatusOverview]:
    return {name: status.applications[name] for name in names if name in status.applications}


def _reason(application: ApplicationStatusOverview) -> str:
    messages = [each.message for each in application.deployments.values() if each.message]
    return last_words((messages or [application.message or str(application.status)])[0])


def _serve_runs() -> bool:
    try:
        return bool(serve.status().proxies)
    except RayServeException:
        return False


def _check_answers(address: str) -> None:
    """Find out in seconds what Ray would find out in a minute."""
    if address == "auto":
        return
    host, separator, port = address.rpartition(":")
    if not separator or not port.isdigit() or "/" in host:
        found = f"{address!r} is no address of a Ray cluster"
        raise ConfigError(f"{found}; wanted 'auto' or host:port, for example 10.0.0.5:6379")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=PROBE_TIMEOUT_S):
            pass
    except OSError as error:
        found = f"no Ray cluster answers at {address!r}: {error.strerror or error}"
        raise ConfigError(f"{found}; start one with 'ray start --head'") from error


def _check_free(host: str, port: int, option: str) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            found = f"port {port} of {host} cannot be used: {error.strerror}"
            raise ConfigError(f"{found}; choose another with {option}") from error
