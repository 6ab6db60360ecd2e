"""Finds what matters in the errors that come through Ray."""

import re

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


_TRACEBACK = "Traceback (most recent call last)"
_ERROR_LINE = re.compile(
    r"^[A-Za-z_][\w.()]*(?:Error|Exception|Exit|Interrupt)\w*(?:\(\w+\))?: .+", re.MULTILINE
)


def last_words(message: str) -> str:
    """Return the error that a message ends with, without the traceback that leads to it."""
    if _TRACEBACK not in message:
        return message.strip()
    errors = _ERROR_LINE.findall(message)
    return errors[-1] if errors else message.strip()
