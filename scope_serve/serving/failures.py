"""Finds our own error in what a call through Ray raised."""

from scope_serve.errors import ScopeServeError


def own_error(error: BaseException) -> ScopeServeError | None:
    """Return the error of this package that ``error`` is or carries, or None.

    Ray wraps what an actor raised (``RayTaskError.cause``) and chains what it raises itself.
    """
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        if isinstance(found, ScopeServeError):
            cause = getattr(found, "cause", None)
            return cause if isinstance(cause, ScopeServeError) else found
        seen.add(id(found))
        found = getattr(found, "cause", None) or found.__cause__
    return None
