"""Opens links."""

import asyncio
import functools
import socket
from collections.abc import Callable

from scope_serve.errors import LinkError
from scope_serve.links.address import LinkAddress
from scope_serve.links.connection import FrameLink, LinkListener, Liveness
from scope_serve.links.messages import Hello, LinkMessage, Welcome

CONNECT_TIMEOUT_S = 5.0


async def connect_link(
    address: LinkAddress,
    *,
    token: str,
    node_id: str,
    listener: LinkListener,
    liveness: Liveness | None = None,
) -> FrameLink:
    """Connect to a link server and present ``token``.

    Args:
        address: Where the server is.
        token: The one-time token of the lease.
        node_id: The caller's own machine: on the server's machine the Unix socket is used.
        listener: Gets every message after the welcome, and the end of the link.
        liveness: When the other side counts as dead.

    Raises:
        LinkError: The server cannot be reached or refuses the token.
    """
    loop = asyncio.get_running_loop()
    welcomed: asyncio.Future[None] = loop.create_future()
    waiter = _Awaiting(welcomed, listener)
    factory = functools.partial(FrameLink, waiter, liveness=liveness, on_open=waiter.opened)
    path = address.unix_path_from(node_id)
    where = f"Unix socket of {address.unix_name}" if path else f"{address.host}:{address.port}"
    link: FrameLink | None = None
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            if path is not None:
                _, link = await _connect_unix(factory, path)
            else:
                _, link = await loop.create_connection(factory, address.host, address.port)
            link.send(Hello(token))
            await welcomed
    except (OSError, TimeoutError) as error:
        if link is not None:
            link.close("not welcomed in time")
        raise LinkError(f"link to {where}: {error or 'no answer in time'}") from error
    except asyncio.CancelledError:
        if link is not None:
            link.close("nobody waits for the welcome any more")
        raise
    return link


async def _connect_unix(
    factory: Callable[[], FrameLink], path: str
) -> tuple[asyncio.Transport, FrameLink]:
    """Connect through a socket of our own: uvloop cannot name an abstract address itself."""
    loop = asyncio.get_running_loop()
    opened = socket.socket(socket.AF_UNIX)
    try:
        opened.setblocking(False)  # noqa: FBT003 - the socket API
        await loop.sock_connect(opened, path)
        return await loop.create_unix_connection(factory, sock=opened)
    except BaseException:
        opened.close()
        raise


class _Awaiting:
    """Listens to a link until it is welcomed, then puts the real listener in its own place."""

    def __init__(self, welcomed: "asyncio.Future[None]", successor: LinkListener) -> None:
        self._welcomed = welcomed
        self._successor = successor
        self._link: FrameLink | None = None

    def opened(self, link: FrameLink) -> None:
        self._link = link

    def message_received(self, message: LinkMessage) -> None:
        assert self._link is not None
        if isinstance(message, Welcome) and not self._welcomed.done():
            self._link.listener = self._successor
            self._welcomed.set_result(None)

    def link_closed(self, reason: str) -> None:
        if not self._welcomed.done():
            self._welcomed.set_exception(LinkError(f"link refused: {reason}"))
