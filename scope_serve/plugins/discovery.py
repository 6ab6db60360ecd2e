"""Finding plugins: installed distributions with an entry point in the group ``scope``."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import metadata

import pluggy
from pydantic import BaseModel, ConfigDict, Field

from scope_serve.errors import ConfigError
from scope_serve.plugins.hookspecs import PROJECT_NAME, ScopeHookSpec

logger = logging.getLogger(__name__)

ENTRY_POINT_GROUP = "scope"
OWN_DISTRIBUTION = "scope-serve"
"""Distribution of the built-in pipelines: a plugin like any other, except that it must be there."""


class FailedPluginInfo(BaseModel):
    """A plugin that was left out, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    package_name: str = Field(description="Distribution that the plugin comes from")
    entry_point_name: str = Field(description="Name of its entry point")
    error_type: str = Field(description="Class of the error")
    error_message: str = Field(description="Text of the error")


@dataclass(frozen=True, slots=True)
class DiscoveredPlugin:
    """What one plugin registered.

    Attributes:
        package_name: Distribution that the plugin comes from.
        entry_point_name: Name of its entry point.
        classes: What it registered, each once, in its order. Not checked in any way.
    """

    package_name: str
    entry_point_name: str
    classes: tuple[object, ...]

    @property
    def plugin_name(self) -> str | None:
        """The distribution, or None for the built-ins of this package."""
        return None if is_own(self.package_name) else self.package_name


def is_own(package_name: str) -> bool:
    """Return whether a distribution is this package."""
    return _normalized(package_name) == OWN_DISTRIBUTION


def discover_plugins(
    accept: Callable[[DiscoveredPlugin], None],
) -> tuple[FailedPluginInfo, ...]:
    """Ask every installed plugin what it registers.

    The built-ins come first, then the other distributions by name. A plugin that fails in any
    way, down to ``sys.exit()`` while it is imported, is left out and harms no other.

    Args:
        accept: Takes what a plugin registered. If it raises, the plugin counts as failed, so it
            must either take everything of a plugin or nothing.

    Returns:
        The plugins that were left out.

    Raises:
        ConfigError: This package itself is not installed, so there are no built-ins.
    """
    by_package = _entry_points_by_package()
    if not any(is_own(package) for package in by_package):
        message = (
            f"no entry point of {OWN_DISTRIBUTION!r} in the group {ENTRY_POINT_GROUP!r}: "
            "the package must be installed (pip install -e . in a source checkout)"
        )
        raise ConfigError(message)
    failed = []
    for package_name in sorted(by_package, key=lambda name: (not is_own(name), name)):
        entry_points = by_package[package_name]
        try:
            accept(_load(package_name, entry_points))
        except (Exception, SystemExit) as error:  # plugin code: one must not harm the others
            name = ", ".join(sorted(entry_point.name for entry_point in entry_points))
            logger.warning(
                "a plugin is left out",
                exc_info=error,
                extra={"package_name": package_name, "entry_point_name": name},
            )
            failed.append(
                FailedPluginInfo(
                    package_name=package_name,
                    entry_point_name=name,
                    error_type=type(error).__name__,
                    error_message=str(error),
                )
            )
    return tuple(failed)


def _entry_points_by_package() -> dict[str, list[metadata.EntryPoint]]:
    grouped: dict[str, list[metadata.EntryPoint]] = {}
    for entry_point in metadata.entry_points(group=ENTRY_POINT_GROUP):
        if entry_point.dist is not None:
            grouped.setdefault(entry_point.dist.name, []).append(entry_point)
    return grouped


def _load(package_name: str, entry_points: Iterable[metadata.EntryPoint]) -> DiscoveredPlugin:
    entry_point, *others = entry_points
    if others:
        names = ", ".join(repr(one.name) for one in (entry_point, *others))
        message = (
            f"a plugin has exactly one entry point in the group {ENTRY_POINT_GROUP!r}, "
            f"found {names}"
        )
        raise ConfigError(message)
    hooks = pluggy.PluginManager(PROJECT_NAME)
    hooks.add_hookspecs(ScopeHookSpec)
    hooks.register(entry_point.load(), name=package_name)
    classes: dict[object, None] = {}
    hooks.hook.register_nodes(register=classes.setdefault)
    hooks.hook.register_pipelines(register=classes.setdefault)
    return DiscoveredPlugin(package_name, entry_point.name, tuple(classes))


def _normalized(package_name: str) -> str:
    return package_name.lower().replace("_", "-").replace(".", "-")
