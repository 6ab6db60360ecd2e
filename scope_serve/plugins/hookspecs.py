"""The hooks that a Scope plugin implements."""

from collections.abc import Callable

import pluggy

PROJECT_NAME = "scope"

hookspec = pluggy.HookspecMarker(PROJECT_NAME)
hookimpl = pluggy.HookimplMarker(PROJECT_NAME)


class ScopeHookSpec:
    """What a plugin is asked.

    Hooks are called more than once in the life of a process and must give the same answer.
    """

    @hookspec
    def register_nodes(self, register: Callable[[type], None]) -> None:
        """Call ``register`` with every node class of the plugin."""

    @hookspec
    def register_pipelines(self, register: Callable[[type], None]) -> None:
        """Call ``register`` with every pipeline class of the plugin."""
