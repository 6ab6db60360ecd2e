"""Errors of the client, each one sentence that says what to do. All are `ClientError`."""

import difflib

from scope_serve.errors import ClientError, PipelineNotFoundError

__all__ = [
    "ClientError",
    "ClientUsageError",
    "ConnectFailedError",
    "MediaFileError",
    "NoFrameError",
    "ReportedError",
    "ServerResponseError",
    "ServerUnreachableError",
    "SessionClosedError",
    "StreamStoppedError",
    "UnknownPipelineError",
]


class ClientUsageError(ClientError):
    """The request makes no sense as it stands; nothing was sent to the server."""

    code = "client_usage"


class MediaFileError(ClientUsageError):
    """A media file cannot be read or written; the message names it and the reason."""

    code = "media_file"

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class ServerUnreachableError(ClientError):
    """Nothing answers at the server's URL."""

    code = "server_unreachable"
    retryable = True

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(url, reason)
        self.url = url
        self.reason = reason

    def __str__(self) -> str:
        return (
            f"no server answers at {self.url} ({self.reason}): "
            "start one with `scope-serve run`, or name another with --url"
        )


class ServerResponseError(ClientError):
    """The server answered a request with an error.

    Attributes:
        status: The HTTP status.
        server_code: The stable code of the server's error body; None if it has none.
        detail: The server's own sentence.
    """

    code = "server_error"

    def __init__(self, request: str, status: int, server_code: str | None, detail: str) -> None:
        super().__init__(request, status, server_code, detail)
        self.request = request
        self.status = status
        self.server_code = server_code
        self.detail = detail

    @property
    def is_refusal(self) -> bool:
        """Whether the same request can never succeed: it has to be changed."""
        return 400 <= self.status < 500 and self.status not in {408, 425, 429}

    def __str__(self) -> str:
        code = f", {self.server_code}" if self.server_code else ""
        return f"{self.detail} ({self.request}: HTTP {self.status}{code})"


class UnknownPipelineError(PipelineNotFoundError, ClientError):
    """A pipeline id is not in the server's schemas."""

    def __str__(self) -> str:
        near = difflib.get_close_matches(self.pipeline_id, self.offered, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        return f"{super().__str__()}{hint}"


class ConnectFailedError(ClientError):
    """The peer connection could not be established, or broke."""

    code = "connection_failed"
    retryable = True


class SessionClosedError(ClientError):
    """The session is over, so nothing can be sent to it."""

    code = "session_closed"


class StreamStoppedError(ClientError):
    """The server ended the stream and said why."""

    code = "stream_stopped"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"the server stopped the stream: {self.reason}"


class ReportedError(ClientError):
    """The server reported an error about what was sent on the data channel."""

    code = "reported_error"

    def __init__(self, server_code: str, message: str, fault: str | None = None) -> None:
        super().__init__(server_code, message, fault)
        self.server_code = server_code
        self.message = message
        self.fault = fault

    @property
    def field(self) -> str | None:
        """Name of the parameter at fault, if the server names one."""
        return self.fault

    @property
    def is_refusal(self) -> bool:
        """Whether the parameters have to be changed."""
        return self.fault is not None or self.server_code in {
            "invalid_parameter",
            "load_parameter",
            "invalid_request",
            "invalid_message",
            "unknown_node",
        }

    def __str__(self) -> str:
        return f"the server reports: {self.message} ({self.server_code})"


class NoFrameError(ClientError):
    """The server sent no picture in the time allowed."""

    code = "no_frame"
    retryable = True

    def __init__(self, waited_s: float, received: int) -> None:
        super().__init__(waited_s, received)
        self.waited_s = waited_s
        self.received = received

    def __str__(self) -> str:
        after = f" after frame {self.received}" if self.received else ""
        return f"no frame arrived for {self.waited_s:g} s{after}"
