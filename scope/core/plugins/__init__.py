"""Hooks, and what a service can say about its plugins."""

from scope_serve.pipelines.plugin_access import (
    PluginManager,
    ensure_plugins_installed,
    get_plugin_input_sources,
    get_plugin_manager,
    load_plugins,
    new_hook_caller,
    probe_plugin_kind,
    register_plugin_nodes,
)
from scope_serve.plugins.discovery import FailedPluginInfo
from scope_serve.plugins.errors import (
    PluginDependencyError,
    PluginInstallError,
    PluginInUseError,
    PluginNameCollisionError,
    PluginNotEditableError,
    PluginNotFoundError,
)
from scope_serve.plugins.hookspecs import hookimpl

pm = new_hook_caller()
register_plugin_pipelines = register_plugin_nodes

__all__ = [
    "FailedPluginInfo",
    "PluginDependencyError",
    "PluginInUseError",
    "PluginInstallError",
    "PluginManager",
    "PluginNameCollisionError",
    "PluginNotEditableError",
    "PluginNotFoundError",
    "ensure_plugins_installed",
    "get_plugin_input_sources",
    "get_plugin_manager",
    "hookimpl",
    "load_plugins",
    "pm",
    "probe_plugin_kind",
    "register_plugin_nodes",
    "register_plugin_pipelines",
]
