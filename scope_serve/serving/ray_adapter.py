"""Everything of Ray Serve that is not public API, in one place.

Written for Ray 2.60; ``tests/cluster/test_ray_adapter.py`` fails first when Ray changes.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Any

import ray
from ray import serve
from ray.experimental import internal_kv
from ray.serve._private.client import ServeControllerClient
from ray.serve._private.common import ReplicaState
from ray.serve.context import _get_global_client, _set_global_client
from ray.serve.handle import (
    DeploymentHandle,
    DeploymentResponse,
    DeploymentResponseGenerator,
)
from ray.serve.schema import DeploymentStatusOverview, ServeDeploySchema, ServeStatus

_NAMESPACE = b"scope_serve"


def over_grpc(handle: DeploymentHandle[Any], **options: Any) -> DeploymentHandle[Any]:  # noqa: ANN401
    """Return ``handle`` with calls that are cancelled when the caller's process dies.

    Calls over Ray's default transport run on for ever after their caller was killed; over gRPC
    the callee is cancelled within milliseconds.
    """
    return handle.options(_by_reference=False, **options)


async def stream(
    call: DeploymentResponse[Any] | DeploymentResponseGenerator[Any],
) -> AsyncGenerator[Any, None]:
    """Yield what a streaming call yields; end the call when the caller stops listening."""
    assert isinstance(call, DeploymentResponseGenerator)
    try:
        async for item in call:
            yield item
    finally:
        call.cancel()  # type: ignore[no-untyped-call]


def node_ip_address() -> str:
    """Return the address by which other nodes of the cluster reach this one."""
    return str(ray.util.get_node_ip_address())  # type: ignore[no-untyped-call]


def http_address() -> tuple[str, int]:
    """Return the host and port that Serve's HTTP proxies listen on."""
    options = _client().http_config
    return str(options.host), int(options.port)


def shut_serve_down() -> None:
    """End all applications and Serve itself."""
    serve.shutdown()  # type: ignore[no-untyped-call]


def forget_serve() -> None:
    """Drop this process's connection to a Serve that is gone, so that it can make another."""
    _set_global_client(None)  # type: ignore[no-untyped-call]


def deploy(config: Mapping[str, Any]) -> None:
    """Deploy a whole Serve config, declaratively: applications that are not in it are deleted.

    Unlike ``serve.run``, this leaves applications alone whose part of the config is unchanged.
    """
    schema = ServeDeploySchema.model_validate(dict(config))
    _client().deploy_apps(schema)


def application_details() -> dict[str, dict[str, Any]]:
    """Return what Serve's REST API says of every application, replicas included, by name."""
    found: dict[str, dict[str, Any]] = _client().get_serve_details()["applications"]
    return found


def deployed_applications() -> frozenset[str]:
    """Return the names of the applications that were deployed from a config."""
    details = application_details().items()
    return frozenset(name for name, each in details if each.get("deployed_app_config"))


def _client() -> ServeControllerClient:
    client = _get_global_client()
    assert client is not None, "Serve is not running"
    return client


def running_replicas(deployment: DeploymentStatusOverview | None) -> int:
    """Return how many replicas of a deployment take calls."""
    return 0 if deployment is None else deployment.replica_states.get(ReplicaState.RUNNING, 0)


def starting_replicas(deployment: DeploymentStatusOverview | None) -> int:
    """Return how many replicas of a deployment are on their way to take calls."""
    return 0 if deployment is None else deployment.replica_states.get(ReplicaState.STARTING, 0)


async def status() -> ServeStatus:
    """Return the state of all applications, without blocking the event loop."""
    return await asyncio.to_thread(serve.status)


def put_record(key: str, value: bytes) -> None:
    """Keep ``value`` in the cluster's own store, for every process of the cluster."""
    internal_kv._internal_kv_put(key.encode(), value, overwrite=True, namespace=_NAMESPACE)


async def records(prefix: str) -> dict[str, bytes]:
    """Return what was put under keys with this prefix."""
    return await asyncio.to_thread(_records, prefix)


def _records(prefix: str) -> dict[str, bytes]:
    found = {}
    for key in internal_kv._internal_kv_list(prefix.encode(), namespace=_NAMESPACE):
        value = internal_kv._internal_kv_get(key, namespace=_NAMESPACE)
        if value is not None:
            found[key.decode()] = value
    return found
