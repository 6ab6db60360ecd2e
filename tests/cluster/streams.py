"""Sessions against a server, and what their pictures show."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import av
import numpy as np

from scope_serve.client.barcode import read
from scope_serve.client.client import ScopeClient
from scope_serve.client.pictures import TestPattern, luma_of
from scope_serve.client.session import ClientSession
from scope_serve.client.sources import TestPatternSource

WIDTH, HEIGHT = 640, 360


@dataclass(frozen=True, slots=True)
class Shown:
    """One received picture: which sent one it was made from, and its pixels."""

    number: int | None
    rgb: Any


@contextlib.asynccontextmanager
async def session(
    url: str, *pipeline_ids: str, video: bool = True, codec: str | None = None, **parameters: Any
) -> AsyncIterator[ClientSession]:
    """Open a session that sends the test pattern, or nothing."""
    source = TestPatternSource(TestPattern(WIDTH, HEIGHT), fps=30.0) if video else None
    async with ScopeClient(url) as client:
        opened = await client.connect(
            pipeline_ids=list(pipeline_ids), parameters=parameters, video=source, codec=codec
        )
        try:
            yield opened
        finally:
            await opened.aclose()


async def shown(opened: ClientSession, count: int) -> list[Shown]:
    """Return the next ``count`` pictures of a session."""
    pictures: list[Shown] = []
    async for frame in opened.frames():
        pictures.append(Shown(read(luma_of(frame)), frame.to_ndarray(format="rgb24").astype(int)))
        if len(pictures) == count:
            break
    return pictures


def sent(number: int) -> Any:
    """Return the RGB pixels of picture ``number`` of the test pattern."""
    frame: av.VideoFrame = TestPattern(WIDTH, HEIGHT).frame(number)
    return frame.to_ndarray(format="rgb24").astype(int)


def grayed(rgb: Any) -> Any:
    """Return a picture as pipeline ``gray`` must show it: BT.601 luma in all channels."""
    luma = rgb @ np.array([0.299, 0.587, 0.114])
    return np.repeat(luma[..., None], 3, axis=2)


def mean_error(one: Any, other: Any) -> float:
    """Return the mean absolute difference of two pictures, 0 to 255."""
    return float(np.abs(one - other).mean())


async def message(opened: ClientSession, kind: str) -> dict[str, Any]:
    """Return the next server message of this kind."""
    async for each in opened.messages():
        if each.get("type") == kind:
            return dict(each)
    raise AssertionError(f"the session ended without a message of type {kind!r}")
