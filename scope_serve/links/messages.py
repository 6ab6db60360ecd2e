"""What travels on a frame link, and its bytes. Pure: no sockets, no clock.

Every message is a 12-byte header, a *head* and a *body*::

    kind: u8 | reserved: 3 bytes | head length: u32 | body length: u32      (network byte order)

The head of a frame is a fixed struct and its body the I420 planes; the head of any other message
is a JSON object and its body empty. Both sides run the same version of this package, checked by
the version number in `Hello`, so the format needs no negotiation.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scope_serve.errors import LinkProtocolError
from scope_serve.frames import I420Frame, i420_size_bytes

LINK_VERSION = 1
MAX_HEAD_BYTES = 1 << 20
MAX_BODY_BYTES = 64 << 20
"""One 8K picture (7680x4320) is 50 MB."""

HEADER = struct.Struct("!B3xII")
_FRAME_HEAD = struct.Struct("!IIqqHH")
_NO_PTS = -(1 << 63)

_HELLO, _WELCOME, _FRAME, _PARAMETERS, _ACKNOWLEDGE, _EVENT, _HEARTBEAT, _GOODBYE = range(1, 9)


@dataclass(frozen=True, slots=True)
class Hello:
    """First message of the connecting side: proves the right to use one lease."""

    token: str
    version: int = LINK_VERSION


@dataclass(frozen=True, slots=True)
class Welcome:
    """The token was right; frames may follow."""


@dataclass(frozen=True, slots=True)
class FrameMessage:
    """One picture.

    Attributes:
        frame: The picture.
        chunk_position: Place of the picture in its pipeline call's output, from 0.
        chunk_length: How many pictures that call made; 1 on the way in.
    """

    frame: I420Frame
    chunk_position: int = 0
    chunk_length: int = 1


@dataclass(frozen=True, slots=True)
class ParametersMessage:
    """Parameters from the client, to be validated by the stage."""

    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """The session took or dropped this many of the stage's pictures."""

    frame_count: int


@dataclass(frozen=True, slots=True)
class EventMessage:
    """Something to tell the session: a JSON object with a ``type``."""

    event: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The sender is alive."""


@dataclass(frozen=True, slots=True)
class Goodbye:
    """The sender closes the link on purpose."""

    reason: str = ""


LinkMessage = (
    Hello
    | Welcome
    | FrameMessage
    | ParametersMessage
    | Acknowledge
    | EventMessage
    | Heartbeat
    | Goodbye
)

Buffers = list[bytes | bytearray | memoryview]


def encode(message: LinkMessage) -> Buffers:
    """Return the buffers to write for ``message``; the picture's own buffer is not copied."""
    if isinstance(message, FrameMessage):
        return _encode_frame(message)
    kind, head = _json_head(message)
    raw = json.dumps(head, separators=(",", ":")).encode() if head else b""
    if len(raw) > MAX_HEAD_BYTES:
        found = f"message of {len(raw)} bytes exceeds the {MAX_HEAD_BYTES} bytes of a link message"
        raise LinkProtocolError(found)
    return [HEADER.pack(kind, len(raw), 0) + raw]


def _encode_frame(message: FrameMessage) -> Buffers:
    frame = message.frame
    head = _FRAME_HEAD.pack(
        frame.width,
        frame.height,
        _NO_PTS if frame.pts is None else frame.pts,
        frame.entered_ns,
        message.chunk_position,
        message.chunk_length,
    )
    return [HEADER.pack(_FRAME, len(head), len(frame.data)) + head, frame.data]


def _json_head(message: LinkMessage) -> tuple[int, Mapping[str, Any]]:  # noqa: PLR0911 - a table
    match message:
        case Hello(token, version):
            return _HELLO, {"token": token, "version": version}
        case Welcome():
            return _WELCOME, {}
        case ParametersMessage(parameters):
            return _PARAMETERS, parameters
        case Acknowledge(frame_count):
            return _ACKNOWLEDGE, {"frames": frame_count}
        case EventMessage(event):
            return _EVENT, event
        case Heartbeat():
            return _HEARTBEAT, {}
        case Goodbye(reason):
            return _GOODBYE, {"reason": reason}
        case _:
            raise TypeError(message)


@dataclass(slots=True)
class MessageDecoder:
    """Turns received bytes into messages, receiving each picture straight into its own buffer.

    The caller asks where the next bytes belong (`get_buffer`), receives into it, and says how
    many came (`advance`). Attributes:

    Attributes:
        max_head_bytes: Longest head accepted; kept small until the peer proved its token.
        max_body_bytes: Longest body accepted.
    """

    max_head_bytes: int = MAX_HEAD_BYTES
    max_body_bytes: int = MAX_BODY_BYTES
    _header: bytearray = field(default_factory=lambda: bytearray(HEADER.size))
    _payload: bytearray | None = None
    _filled: int = 0
    _kind: int = 0
    _head_bytes: int = 0

    def get_buffer(self) -> memoryview:
        """Return the non-empty buffer that the next bytes belong in."""
        target = self._header if self._payload is None else self._payload
        return memoryview(target)[self._filled :]

    def advance(self, count: int) -> LinkMessage | None:
        """Account for ``count`` received bytes; return a message if they complete one.

        Raises:
            LinkProtocolError: The bytes are not the link protocol; the link must be closed.
        """
        self._filled += count
        if self._payload is None:
            if self._filled < HEADER.size:
                return None
            self._start_payload()
        payload = self._payload
        if payload is None or self._filled < len(payload):
            return None
        self._payload, self._filled = None, 0
        return self._parse(payload)

    def _start_payload(self) -> None:
        self._kind, self._head_bytes, body_bytes = HEADER.unpack(self._header)
        if self._head_bytes > self.max_head_bytes or body_bytes > self.max_body_bytes:
            found = f"head of {self._head_bytes} and body of {body_bytes} bytes"
            limit = f"at most {self.max_head_bytes} and {self.max_body_bytes} are allowed"
            raise LinkProtocolError(f"link message with a {found}; {limit}")
        self._payload, self._filled = bytearray(self._head_bytes + body_bytes), 0

    def _parse(self, payload: bytearray) -> LinkMessage:
        if self._kind == _FRAME:
            return _parse_frame(payload, self._head_bytes)
        try:
            head = json.loads(bytes(payload[: self._head_bytes]) or b"{}")
            return _parse_json(self._kind, head)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise LinkProtocolError(f"link message of kind {self._kind}: {error!r}") from error


def _parse_frame(payload: bytearray, head_bytes: int) -> FrameMessage:
    if head_bytes != _FRAME_HEAD.size:
        raise LinkProtocolError(f"frame head of {head_bytes} bytes, wanted {_FRAME_HEAD.size}")
    width, height, pts, entered_ns, position, length = _FRAME_HEAD.unpack_from(payload)
    data = memoryview(payload)[head_bytes:]
    if width < 1 or height < 1 or len(data) != i420_size_bytes(width, height):
        raise LinkProtocolError(f"frame of {width}x{height} with {len(data)} bytes of data")
    frame = I420Frame(data, width, height, None if pts == _NO_PTS else pts, entered_ns)
    return FrameMessage(frame, position, length)


def _parse_json(kind: int, head: object) -> LinkMessage:  # noqa: PLR0911 - a table
    if not isinstance(head, dict):
        raise TypeError(head)
    if kind == _HELLO:
        return Hello(str(head["token"]), int(head["version"]))
    if kind == _WELCOME:
        return Welcome()
    if kind == _PARAMETERS:
        return ParametersMessage(head)
    if kind == _ACKNOWLEDGE:
        return Acknowledge(int(head["frames"]))
    if kind == _EVENT:
        return EventMessage(head)
    if kind == _HEARTBEAT:
        return Heartbeat()
    if kind == _GOODBYE:
        return Goodbye(str(head["reason"]))
    raise ValueError(f"unknown kind {kind}")
