"""Names for plugin authors."""

from scope_serve.plugins.hookspecs import hookimpl

__all__ = ["hookimpl"]
