"""Every error that reaches a user, as one tree.

Each class has a stable ``code``: HTTP clients find it in the error body, data-channel clients in
``error`` messages, scripts in JSON output. Codes are part of the public API. ``retryable`` says
whether the same request can succeed later without being changed.

Every class hands all of its arguments to ``Exception.__init__`` by position. Only then does an
error survive pickling, which every error between two actors goes through.
"""

from typing import ClassVar


class ScopeServeError(Exception):
    """Base of all errors that this package raises on purpose."""

    code: ClassVar[str] = "internal_error"
    retryable: ClassVar[bool] = False

    @property
    def field(self) -> str | None:
        """Name of the input field at fault, or None when it is not a single field."""
        return None


class ConfigError(ScopeServeError):
    """A configuration file or option cannot be used; the message names the key and the cure."""

    code = "invalid_config"


class InvalidRequestError(ScopeServeError):
    """A request is well-formed but cannot be served as it stands."""

    code = "invalid_request"


class InvalidOfferError(InvalidRequestError):
    """The SDP of an offer cannot be answered."""

    code = "invalid_offer"


class InvalidCandidateError(InvalidRequestError):
    """An ICE candidate cannot be parsed."""

    code = "invalid_candidate"


class UnsupportedGraphError(InvalidRequestError):
    """A graph is not one source, pipelines in a row, one sink."""

    code = "unsupported_graph"


class PipelineRequiredError(InvalidRequestError):
    """An offer names no pipeline and no default applies."""

    code = "pipeline_required"


class UsageError(InvalidRequestError):
    """A pipeline stands at a place in the chain that its usage does not allow."""

    code = "invalid_chain"


class PipelineNotFoundError(ScopeServeError):
    """A pipeline id is not offered here."""

    code = "pipeline_not_found"

    def __init__(self, pipeline_id: str, offered: tuple[str, ...] = ()) -> None:
        super().__init__(pipeline_id, offered)
        self.pipeline_id = pipeline_id
        self.offered = offered

    def __str__(self) -> str:
        listed = ", ".join(repr(name) for name in self.offered) or "none"
        return f"pipeline {self.pipeline_id!r} is not offered here; offered: {listed}"


class PipelineUnavailableError(ScopeServeError):
    """A pipeline is deployed but cannot start, for the reason given."""

    code = "pipeline_unavailable"
    retryable = True

    def __init__(self, pipeline_id: str, reason: str) -> None:
        super().__init__(pipeline_id, reason)
        self.pipeline_id = pipeline_id
        self.reason = reason

    def __str__(self) -> str:
        return f"pipeline {self.pipeline_id!r} is unavailable: {self.reason}"


class ApplicationFailedError(ScopeServeError):
    """A Serve application of a config cannot start, for the reason given."""

    code = "application_failed"

    def __init__(self, application: str, reason: str) -> None:
        super().__init__(application, reason)
        self.application = application
        self.reason = reason

    def __str__(self) -> str:
        return f"application {self.application!r} cannot start: {self.reason}"


class PipelineLoadError(PipelineUnavailableError):
    """The constructor of a pipeline raised; the message carries its error."""

    code = "pipeline_load_failed"
    retryable = False

    def __str__(self) -> str:
        return f"pipeline {self.pipeline_id!r} could not be loaded: {self.reason}"


class PipelineCallError(ScopeServeError):
    """A pipeline raised while processing frames, or returned something that is not video."""

    code = "pipeline_failed"

    def __init__(self, pipeline_id: str, reason: str) -> None:
        super().__init__(pipeline_id, reason)
        self.pipeline_id = pipeline_id
        self.reason = reason

    def __str__(self) -> str:
        return f"pipeline {self.pipeline_id!r} failed: {self.reason}"


class InputRequiredError(ScopeServeError):
    """A pipeline waits for input frames in a session that has no video input."""

    code = "input_required"

    def __init__(self, pipeline_id: str, input_size: int) -> None:
        super().__init__(pipeline_id, input_size)
        self.pipeline_id = pipeline_id
        self.input_size = input_size

    def __str__(self) -> str:
        return (
            f"pipeline {self.pipeline_id!r} needs {self.input_size} input frame(s) per call, "
            "but the session is in text mode"
        )


class ParameterError(ScopeServeError):
    """A parameter has a value that the pipeline's schema does not allow."""

    code = "invalid_parameter"

    def __init__(self, name: str, reason: str, pipeline_id: str | None = None) -> None:
        super().__init__(name, reason, pipeline_id)
        self.name = name
        self.reason = reason
        self.pipeline_id = pipeline_id

    @property
    def field(self) -> str:
        """Name of the parameter at fault."""
        return self.name

    def __str__(self) -> str:
        owner = f" of pipeline {self.pipeline_id!r}" if self.pipeline_id else ""
        return f"parameter {self.name!r}{owner}: {self.reason}"


class LoadParameterError(ParameterError):
    """A load parameter was sent while the stream runs."""

    code = "load_parameter"


class CapacityError(ScopeServeError):
    """Nothing is free to serve the request now."""

    code = "no_capacity"
    retryable = True


class ReplicaGoneError(ScopeServeError):
    """A call was addressed to one replica, and that replica does not exist any more."""

    code = "replica_gone"
    retryable = True

    def __init__(self, replica: str) -> None:
        super().__init__(replica)
        self.replica = replica

    def __str__(self) -> str:
        return f"replica {self.replica!r} does not exist any more"


class SessionNotFoundError(ScopeServeError):
    """A session id is unknown, or its session is over."""

    code = "session_not_found"

    def __init__(self, session_id: str) -> None:
        super().__init__(session_id)
        self.session_id = session_id

    def __str__(self) -> str:
        return f"session {self.session_id!r} does not exist or is over"


class LinkError(ScopeServeError):
    """The frame connection to a stage cannot be opened, or broke."""

    code = "link_failed"
    retryable = True


class LinkProtocolError(LinkError):
    """The other side of a link sent bytes that are not the link protocol."""

    code = "link_protocol"
    retryable = False


class StageLostError(ScopeServeError):
    """The replica that ran a stage is gone and no other could take over."""

    code = "stage_lost"
    retryable = True


class ClientError(ScopeServeError):
    """The Python client could not do what was asked; the message says what to do."""

    code = "client_error"
