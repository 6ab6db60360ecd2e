"""Which pipelines to ask for, and in which mode: decided from the server's schemas. Pure."""

from collections.abc import Mapping, Sequence

from scope_serve.client.errors import ClientUsageError, UnknownPipelineError
from scope_serve.client.wire import InputMode, Json


def check_offered(chain: Sequence[str], schemas: Mapping[str, Json]) -> None:
    """Make sure that every pipeline of ``chain`` is offered.

    Raises:
        UnknownPipelineError: One is not; the message lists what is.
    """
    for pipeline_id in chain:
        if pipeline_id not in schemas:
            raise UnknownPipelineError(pipeline_id, tuple(sorted(schemas)))


def choose_mode(chain: Sequence[str], schemas: Mapping[str, Json], *, has_input: bool) -> InputMode:
    """Return the mode in which ``chain`` can run with, or without, pictures to work on.

    Raises:
        ClientUsageError: Its first pipeline needs pictures and there are none, or takes none.
    """
    first = chain[0]
    modes = supported_modes(schemas[first])
    if has_input and "video" not in modes:
        message = f"pipeline {first!r} takes no video: leave out --input"
        raise ClientUsageError(message)
    if not has_input and "text" not in modes:
        message = f"pipeline {first!r} works on video: name a file, or testsrc, with --input"
        raise ClientUsageError(message)
    return "video" if has_input else "text"


def supported_modes(schema: Mapping[str, object]) -> frozenset[str]:
    """Return the modes a schema names; both if it names none."""
    modes = schema.get("supported_modes")
    if isinstance(modes, list) and modes:
        return frozenset(str(mode) for mode in modes)
    return frozenset({"text", "video"})
