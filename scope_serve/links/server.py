"""Accepts links, each proven by the one-time token of a lease."""

import asyncio
import hmac
import logging
import secrets
import socket
import sys
from dataclasses import dataclass

from scope_serve.links.address import LinkAddress
from scope_serve.links.connection import FrameLink, LinkListener, Liveness
from scope_serve.links.messages import (
    LINK_VERSION,
    MAX_BODY_BYTES,
    MAX_HEAD_BYTES,
    Hello,
    LinkMessage,
    MessageDecoder,
    Welcome,
)

logger = logging.getLogger(__name__)

HELLO_TIMEOUT_S = 5.0
_HELLO_BYTES = 1024


@dataclass(slots=True)
class _Expected:
    listener: LinkListener
    link: "asyncio.Future[FrameLink]"


class LinkServer:
    """Listens for the links of one process, on a Unix socket and on TCP.

    A token is good for one connection. A connection that does not present a known token within
    `HELLO_TIMEOUT_S` is closed, and before that may send no more than one small message.
    """

    def __init__(self, liveness: Liveness | None = None) -> None:
        self._liveness = liveness or Liveness()
        self._expected: dict[str, _Expected] = {}
        self._servers: list[asyncio.Server] = []
        self._links: set[FrameLink] = set()
        self._guests: set[FrameLink] = set()

    async def start(self, node_id: str, host: str) -> LinkAddress:
        """Listen, and return where.

        Args:
            node_id: Name of this machine, to be compared with the caller's.
            host: IP address to listen on for callers on other machines.

        Raises:
            OSError: The address cannot be listened on.
        """
        loop = asyncio.get_running_loop()
        unix_name = None
        if sys.platform == "linux":
            unix_name = f"scope-serve-{secrets.token_hex(8)}"
            listening = socket.socket(socket.AF_UNIX)
            listening.bind(f"\0{unix_name}")
            self._servers.append(await loop.create_unix_server(self._accept, sock=listening))
        tcp = await loop.create_server(self._accept, host, 0)
        self._servers.append(tcp)
        port = int(tcp.sockets[0].getsockname()[1])
        return LinkAddress(node_id=node_id, unix_name=unix_name, host=host, port=port)

    def expect(self, listener: LinkListener) -> tuple[str, "asyncio.Future[FrameLink]"]:
        """Allow one connection.

        Returns:
            The token it must present, and a future of the link. The listener gets its messages.
            Cancel the future to withdraw the permission.
        """
        token = secrets.token_urlsafe(32)
        future: asyncio.Future[FrameLink] = asyncio.get_running_loop().create_future()
        self._expected[token] = _Expected(listener, future)
        future.add_done_callback(lambda _: self._expected.pop(token, None))
        return token, future

    def _accept(self) -> FrameLink:
        decoder = MessageDecoder(max_head_bytes=_HELLO_BYTES, max_body_bytes=0)
        guest = _Guest(self)
        return FrameLink(guest, liveness=self._liveness, decoder=decoder, on_open=guest.opened)

    def greet(self, link: FrameLink) -> None:
        """Note a link that has not shown its token yet, so that `aclose` reaches it."""
        self._guests.add(link)

    def forget(self, link: FrameLink) -> None:
        """Forget a link that was closed or admitted."""
        self._guests.discard(link)

    def admit(self, link: FrameLink, hello: Hello) -> None:
        """Hand ``link`` over to the lease whose token it presents, or close it."""
        expected = self._match(hello.token)
        if hello.version != LINK_VERSION:
            link.close(f"link version {hello.version} is not {LINK_VERSION}")
        elif expected is None:
            logger.warning("link refused: unknown token")
            link.close("unknown or used token")
        else:
            self.forget(link)
            self._links.add(link)
            link.listener = _Admitted(expected.listener, link, self._links)
            link.decoder.max_head_bytes = MAX_HEAD_BYTES
            link.decoder.max_body_bytes = MAX_BODY_BYTES
            expected.link.set_result(link)
            link.send(Welcome())

    def _match(self, token: str) -> _Expected | None:
        for known, expected in self._expected.items():
            if (
                hmac.compare_digest(known.encode(), token.encode(errors="replace"))
                and not expected.link.done()
            ):
                return expected
        return None

    async def aclose(self) -> None:
        """Close every link and stop listening. Idempotent."""
        for expected in list(self._expected.values()):
            expected.link.cancel()
        for link in [*self._links, *self._guests]:
            link.close("the replica is stopping")
        for server in self._servers:
            server.close()
        for server in self._servers:
            await server.wait_closed()
        self._servers.clear()


class _Guest:
    """Listens to a link until it has said who it is."""

    def __init__(self, server: LinkServer) -> None:
        self._server = server
        self._link: FrameLink | None = None
        self._deadline: asyncio.TimerHandle | None = None

    def opened(self, link: FrameLink) -> None:
        self._link = link
        self._server.greet(link)
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(HELLO_TIMEOUT_S, link.close, "no token in time")

    def message_received(self, message: LinkMessage) -> None:
        self._cancel_deadline()
        assert self._link is not None
        if isinstance(message, Hello):
            self._server.admit(self._link, message)
        else:
            self._link.close("a link begins with its token")

    def link_closed(self, reason: str) -> None:
        self._cancel_deadline()
        if self._link is not None:
            self._server.forget(self._link)
        logger.debug("link closed before it was admitted: %s", reason)

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()


class _Admitted:
    """Forwards to the lease's listener and forgets the link when it closes."""

    def __init__(self, listener: LinkListener, link: FrameLink, links: set[FrameLink]) -> None:
        self._listener = listener
        self._link = link
        self._links = links

    def message_received(self, message: LinkMessage) -> None:
        self._listener.message_received(message)

    def link_closed(self, reason: str) -> None:
        self._links.discard(self._link)
        self._listener.link_closed(reason)
