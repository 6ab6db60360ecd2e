"""Keeps errors from keeping memory."""

import traceback


def release_frames(error: BaseException) -> None:
    """Let go of every local variable that the traceback of a caught error refers to.

    Whoever keeps the error, or a log record with it, would otherwise keep the tensors of the
    function that failed. To be called before the error is logged; its traceback stays printable.
    """
    pending: list[BaseException | None] = [error]
    seen: set[int] = set()
    while pending:
        current = pending.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        pending += [current.__cause__, current.__context__]
        if current.__traceback__ is not None:
            # The first frame is still running, so it cannot be cleared and has to be cut off.
            current.__traceback__ = current.__traceback__.tb_next
            traceback.clear_frames(current.__traceback__)
