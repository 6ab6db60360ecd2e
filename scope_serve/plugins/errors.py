"""Errors of Scope's plugin management, under the names that its callers catch."""

from scope_serve.errors import ScopeServeError


class PluginError(ScopeServeError):
    """Base of the errors about plugins."""

    code = "plugin_error"


class PluginNotFoundError(PluginError):
    """A plugin is not installed."""

    code = "plugin_not_found"


class PluginNotEditableError(PluginError):
    """A plugin is not installed from a source folder, so it cannot be reloaded."""

    code = "plugin_not_editable"


class PluginInUseError(PluginError):
    """A plugin cannot be removed while its pipelines run."""

    code = "plugin_in_use"


class PluginNameCollisionError(PluginError):
    """Another plugin has the same name."""

    code = "plugin_name_collision"


class PluginDependencyError(PluginError):
    """The dependencies of a plugin do not fit the installed packages."""

    code = "plugin_dependency"


class PluginInstallError(PluginError):
    """A plugin cannot be installed or removed."""

    code = "plugin_install_failed"
