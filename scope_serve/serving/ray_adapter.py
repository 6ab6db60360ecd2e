"""Everything of Ray Serve that is not public API, in one place.

Written for Ray 2.60; ``tests/cluster/test_ray_adapter.py`` fails first when Ray changes.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from ray import serve
from ray.experimental import internal_kv
from ray.serve.context import _get_global_client
from ray.serve.handle import DeploymentHandle
from ray.serve.schema import ServeDeploySchema, ServeStatus

_NAMESPACE = b"scope_serve"


def over_grpc(handle: DeploymentHandle[Any], **options: Any) -> DeploymentHandle[Any]:  # noqa: ANN401
    """Return ``handle`` with calls that are cancelled when the caller's process dies.

    Calls over Ray's default transport run on for ever after their caller was killed; over gRPC
    the callee is cancelled within milliseconds.
    """
    return handle.options(_by_reference=False, **options)


def deploy(config: Mapping[str, Any]) -> None:
    """Deploy a whole Serve config, declaratively: applications that are not in it are deleted.

    Unlike ``serve.run``, this leaves applications alone whose part of the config is unchanged.
    """
    schema = ServeDeploySchema.model_validate(dict(config))
    _get_global_client().deploy_apps(schema)


def deployed_applications() -> dict[str, dict[str, Any]]:
    """Return the config of every application deployed from a config, by name."""
    applications = _get_global_client().get_serve_details()["applications"]
    return {
        name: details["deployed_app_config"]
        for name, details in applications.items()
        if details.get("deployed_app_config")
    }


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
