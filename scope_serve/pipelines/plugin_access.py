"""Scope's plugin management, as far as a service has one: looking, not changing.

A replica runs from an image that every other replica runs from too, so nothing is installed
while it runs.
"""

import importlib
from importlib import metadata
from typing import NoReturn

import pluggy

from scope_serve.pipelines.inputs import InputSource, get_input_source_classes
from scope_serve.pipelines.registry import PipelineCatalog, load_pipelines
from scope_serve.plugins.discovery import ENTRY_POINT_GROUP, FailedPluginInfo
from scope_serve.plugins.errors import PluginInstallError, PluginNotFoundError
from scope_serve.plugins.hookspecs import PROJECT_NAME, ScopeHookSpec


class PluginManager:
    """Answers what is installed; refuses to install or remove anything."""

    def __init__(self) -> None:
        self._failed: tuple[FailedPluginInfo, ...] = ()

    def load_plugins(self) -> PipelineCatalog:
        """Register what all installed plugins offer."""
        catalog = load_pipelines()
        self._failed = catalog.failed
        return catalog

    def register_plugin_nodes(self, registry: object = None) -> None:
        """Register what all installed plugins offer; the argument has no effect, as in Scope."""
        del registry
        self.load_plugins()

    register_plugin_pipelines = register_plugin_nodes

    def get_failed_plugins(self) -> list[FailedPluginInfo]:
        """Return the plugins that `load_plugins` left out."""
        return list(self._failed)

    def get_plugin_for_pipeline(self, pipeline_id: str) -> str | None:
        """Return the distribution of a pipeline; None for a built-in.

        Raises:
            PipelineNotFoundError: There is no such pipeline.
        """
        return self.load_plugins().get(pipeline_id).plugin_name

    def install_plugin(self, package: str, **_: object) -> NoReturn:
        """Refuse.

        Raises:
            PluginInstallError: Always.
        """
        _refuse("install", package)

    def uninstall_plugin(self, name: str, **_: object) -> NoReturn:
        """Refuse.

        Raises:
            PluginInstallError: Always.
        """
        _refuse("uninstall", name)

    def reload_plugin(self, name: str, **_: object) -> NoReturn:
        """Refuse.

        Raises:
            PluginInstallError: Always.
        """
        _refuse("reload", name)


def new_hook_caller() -> pluggy.PluginManager:
    """Return a pluggy manager that knows Scope's hooks and no plugin."""
    hooks = pluggy.PluginManager(PROJECT_NAME)
    hooks.add_hookspecs(ScopeHookSpec)
    return hooks


def get_plugin_manager() -> PluginManager:
    """Return a `PluginManager`; it keeps no state that two of them could disagree about."""
    return PluginManager()


def ensure_plugins_installed() -> None:
    """Do nothing: plugins are part of the image."""


def load_plugins() -> None:
    """Register what all installed plugins offer."""
    load_pipelines()


def register_plugin_nodes(registry: object = None) -> None:
    """Register what all installed plugins offer; the argument has no effect, as in Scope."""
    del registry
    load_pipelines()


def get_plugin_input_sources() -> dict[str, type[InputSource]]:
    """Return the input sources of plugins by their ``source_id``."""
    return get_input_source_classes()


def probe_plugin_kind(package_name: str) -> str | None:
    """Return the ``__scope_kind__`` that a plugin's package declares, or None.

    Args:
        package_name: Name of the distribution.

    Raises:
        PluginNotFoundError: It is not installed, or is not a plugin.
    """
    for entry_point in metadata.entry_points(group=ENTRY_POINT_GROUP):
        if entry_point.dist is not None and entry_point.dist.name == package_name:
            package = importlib.import_module(entry_point.module.partition(".")[0])
            kind = getattr(package, "__scope_kind__", None)
            return None if kind is None else str(kind)
    message = f"{package_name!r} is not an installed plugin"
    raise PluginNotFoundError(message)


def _refuse(action: str, package: str) -> NoReturn:
    message = (
        f"cannot {action} {package!r} in a running service: plugins belong in the container "
        "image or in the runtime_env of the deployment"
    )
    raise PluginInstallError(message)
