"""Joins a link to the run of a stage: the replica's side of one lease. No Ray here."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from scope_serve.errors import ParameterError
from scope_serve.links.connection import FrameLink
from scope_serve.links.messages import (
    Acknowledge,
    EventMessage,
    FrameMessage,
    LinkMessage,
    ParametersMessage,
)
from scope_serve.links.server import LinkServer
from scope_serve.stages.events import FramesReady, StageEvent, StageFailed
from scope_serve.stages.runner import StageRun, StageRunner

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 10.0
_MAX_UNSENT = 256


class StageEndpoint:
    """One session's use of one stage runner.

    `open` begins the run, so that bad parameters are refused before anybody connects; the link
    follows. What the stage makes before the link is there waits for it.
    """

    def __init__(self, runner: StageRunner, links: LinkServer) -> None:
        self._runner = runner
        self._links = links
        self._loop = asyncio.get_running_loop()
        self._run: StageRun | None = None
        self._link: FrameLink | None = None
        self._unsent: list[StageEvent] = []
        self._frame_rate: float | None = None
        self._closed: asyncio.Future[str] = self._loop.create_future()
        self._linking: asyncio.Future[FrameLink] | None = None
        self._deadline: asyncio.TimerHandle | None = None

    async def open(self, parameters: Mapping[str, Any], *, input_mode: str) -> str:
        """Begin the run and return the token that its link must present.

        Raises:
            ParameterError: The pipeline does not accept the parameters.
            PipelineLoadError: It could not be loaded with them.
        """
        self._run = await self._runner.begin(
            parameters, input_mode=input_mode, emit=self._emit_threadsafe
        )
        token, self._linking = self._links.expect(self)
        self._linking.add_done_callback(self._linked)
        self._deadline = self._loop.call_later(CONNECT_TIMEOUT_S, self._linking.cancel)
        return token

    async def closed(self) -> str:
        """Return why the link closed, once it has."""
        return await self._closed

    async def aclose(self) -> None:
        """Close the link and end the run; the runner is free then. Idempotent."""
        self._end("the lease is over")
        if self._linking is not None and not self._linking.cancel():
            self._linked(self._linking)
        if self._link is not None:
            self._link.close("the lease is over")
        if self._run is not None:
            await self._run.end()

    # the link's side, on the event loop

    def _linked(self, linked: "asyncio.Future[FrameLink]") -> None:
        if self._link is not None:
            return
        if self._deadline is not None:
            self._deadline.cancel()
        if linked.cancelled():
            self._end("nobody connected in time")
            return
        self._link = linked.result()
        unsent, self._unsent = self._unsent, []
        for event in unsent:
            self._emit(event)

    def message_received(self, message: LinkMessage) -> None:
        """Hand what the session sends to the run."""
        assert self._run is not None
        if isinstance(message, FrameMessage):
            self._run.push(message.frame)
        elif isinstance(message, Acknowledge):
            self._run.acknowledge(message.frame_count)
        elif isinstance(message, ParametersMessage):
            self._update(self._run, message.parameters)

    def link_closed(self, reason: str) -> None:
        """End the lease: its link is gone."""
        self._end(reason)

    def _update(self, run: StageRun, parameters: Mapping[str, Any]) -> None:
        try:
            run.update(parameters)
        except ParameterError as error:
            self._tell(
                "parameters_rejected",
                code=error.code,
                message=str(error),
                field=error.field,
                pipeline_id=error.pipeline_id,
            )
        except Exception as error:
            # A plugin's own validators may raise anything; the link must outlive them.
            logger.warning("parameters could not be checked", exc_info=error)
            found = f"the parameters cannot be checked: {type(error).__name__}"
            self._tell("parameters_rejected", code=ParameterError.code, message=found)
        else:
            self._tell("parameters_accepted")

    def _end(self, reason: str) -> None:
        if not self._closed.done():
            self._closed.set_result(reason)

    def _tell(self, kind: str, **details: Any) -> None:  # noqa: ANN401 - JSON values
        if self._link is not None:
            self._link.send(EventMessage({"type": kind, **details}))

    # the stage's side, from its thread

    def _emit_threadsafe(self, event: StageEvent) -> None:
        self._loop.call_soon_threadsafe(self._emit, event)

    def _emit(self, event: StageEvent) -> None:
        if self._link is None:
            if len(self._unsent) < _MAX_UNSENT:
                self._unsent.append(event)
        elif isinstance(event, FramesReady):
            self._send_frames(self._link, event)
        elif isinstance(event, StageFailed):
            kind = "fatal" if event.is_fatal else "error"
            self._tell(kind, code=event.error.code, message=str(event.error))

    def _send_frames(self, link: FrameLink, event: FramesReady) -> None:
        if event.frame_rate != self._frame_rate:
            self._frame_rate = event.frame_rate
            self._tell("frame_rate", frame_rate=event.frame_rate)
        length = len(event.frames)
        for position, frame in enumerate(event.frames):
            link.send(FrameMessage(frame, position, length))
