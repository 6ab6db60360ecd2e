"""The hooks that a plugin implements."""

from scope_serve.plugins.hookspecs import ScopeHookSpec, hookimpl, hookspec

__all__ = ["ScopeHookSpec", "hookimpl", "hookspec"]
