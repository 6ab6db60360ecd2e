"""A session: pictures from one client through a chain of stages and back."""

import asyncio
import dataclasses
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from scope_serve.errors import (
    InputRequiredError,
    InvalidRequestError,
    PipelineCallError,
    ScopeServeError,
)
from scope_serve.frames import I420Frame
from scope_serve.links.messages import MAX_BODY_BYTES, FrameMessage
from scope_serve.sessions.chain import StageSpec
from scope_serve.sessions.leases import StageLeases
from scope_serve.sessions.messages import error_message, stream_stopped
from scope_serve.sessions.metering import Meter
from scope_serve.sessions.playout import Playout
from scope_serve.sessions.stage import Stage
from scope_serve.sessions.state import SessionState, follows
from scope_serve.tasks import TaskScope

logger = logging.getLogger(__name__)


class Session:
    """Leases a place for every stage, moves pictures along the chain, tells the client.

    Args:
        session_id: Name of the session.
        chain: Its stages, at least one.
        parameters: Initial parameters, given to every stage.
        leases: Where stages get their places.
        notify: Sends a message to the client; must not block.
        on_end: Called once if the session cannot go on, after the client was told. Whoever made
            the session must then call `aclose`.
    """

    def __init__(
        self,
        session_id: str,
        chain: Sequence[StageSpec],
        parameters: Mapping[str, Any],
        *,
        leases: StageLeases,
        notify: Callable[[Mapping[str, Any]], None],
        on_end: Callable[[], None],
    ) -> None:
        self.id = session_id
        self.state = SessionState.STARTING
        self.meter = Meter()
        self._notify = notify
        self._on_end = on_end
        self._recovering: dict[Stage, float] = {}
        self._stages = [Stage(spec, leases, parameters, self) for spec in chain]
        self._next = dict(zip(self._stages, self._stages[1:], strict=False))
        self._playout = Playout(taken=self._stages[-1].acknowledge)
        self._source = Playout(taken=self._stages[0].acknowledge)
        self._failure: ScopeServeError | None = None
        self._oversized = 0
        self._tasks = TaskScope()

    async def start(self) -> None:
        """Lease all places, at once.

        Raises:
            ScopeServeError: Why the first stage that failed cannot start. Nothing is held then.
        """
        try:
            await self._start_stages()
        except BaseException:
            await self.aclose("start failed")
            raise
        self._enter(SessionState.ACTIVE)
        if self._recovering:
            self._enter(SessionState.RECOVERING)
        if len(self._stages) > 1:
            self._tasks.start(self._relay_source(), name=f"session/{self.id}/source")

    async def _start_stages(self) -> None:
        starting = [stage.start() for stage in self._stages]
        for outcome in await asyncio.gather(*starting, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome
        self.check_running()

    def check_running(self) -> None:
        """Return if the session can go on.

        Raises:
            ScopeServeError: Why it cannot.
        """
        if self._failure is not None:
            raise self._failure

    async def _relay_source(self) -> None:
        """Hand pictures made from nothing to the second stage, each when it is due.

        The second stage drops what it has no time for, so without this the first would run flat
        out. From here on they are like live ones.
        """
        while True:
            frame = await self._source.next()
            self._stages[1].push(dataclasses.replace(frame, entered_ns=time.monotonic_ns()))

    def push_frame(self, frame: I420Frame) -> None:
        """Take a picture that the client sent, stamped with the time it entered."""
        self.meter.frame_in()
        size_bytes = memoryview(frame.data).nbytes
        if size_bytes <= MAX_BODY_BYTES:
            self._stages[0].push(frame)
            return
        self._oversized += 1
        if self._oversized == 1:
            found = f"a picture of {frame.width}x{frame.height} is too large and is dropped"
            self._notify(error_message("picture_too_large", found))

    async def next_frame(self) -> I420Frame:
        """Return the next processed picture as soon as it is due. One caller at a time."""
        frame = await self._playout.next()
        self.meter.frame_out(frame.entered_ns)
        return frame

    def update(self, parameters: Mapping[str, Any]) -> None:
        """Send parameters to the stage named by ``node_id``, or to every stage."""
        node_id = parameters.get("node_id")
        rest = {name: value for name, value in parameters.items() if name != "node_id"}
        addressed = [
            stage for stage in self._stages if node_id is None or stage.spec.node_id == node_id
        ]
        if not addressed:
            known = ", ".join(repr(stage.spec.node_id) for stage in self._stages)
            reason = f"no stage is named {node_id!r:.100}; the stages: {known}"
            self._notify(error_message("unknown_node", reason, field="node_id"))
        for stage in addressed:
            own = rest
            if node_id is None and stage is not self._stages[0]:
                # Later stages get the pictures of the stage before them, whatever the mode.
                own = {name: value for name, value in rest.items() if name != "input_mode"}
            try:
                stage.update(own)
            except InvalidRequestError as error:
                details = {"node_id": stage.spec.node_id}
                self._notify(error_message(error.code, str(error), **details))

    def describe(self) -> dict[str, Any]:
        """Return the state, the chain and the counters of the session, ready for JSON."""
        return {
            "session_id": self.id,
            "state": str(self.state),
            "stages": [
                {
                    "node_id": stage.spec.node_id,
                    "pipeline_id": stage.spec.pipeline_id,
                    "input_mode": stage.input_mode,
                    "replica": stage.replica,
                    "frames_dropped": stage.frames_dropped,
                }
                for stage in self._stages
            ],
            **self.meter.totals(),
        }

    def report(self) -> dict[str, Any]:
        """Return rates and latency since the last report, and what was dropped so far."""
        dropped = sum(stage.frames_dropped for stage in self._stages)
        dropped += self._source.frames_dropped + self._playout.frames_dropped + self._oversized
        return {**self.meter.report(), "frames_dropped": dropped, "state": str(self.state)}

    async def aclose(self, reason: str) -> None:
        """Give every place back. Idempotent."""
        if self.state is SessionState.CLOSED:
            return
        self._enter(SessionState.CLOSED)
        logger.info("session closed", extra={"session_id": self.id, "reason": reason})
        await asyncio.gather(self._tasks.aclose(), *(stage.aclose() for stage in self._stages))

    def _enter(self, state: SessionState) -> None:
        if not follows(self.state, state):
            message = f"session {self.id} cannot go from {self.state} to {state}"
            raise RuntimeError(message)
        self.state = state

    # what the stages tell

    def stage_frame(self, stage: Stage, message: FrameMessage) -> None:
        """Hand a picture to the next stage, or to the outgoing track."""
        following = self._next.get(stage)
        if following is None:
            self._playout.put(message)
        elif not message.frame.entered_ns:
            self._source.put(message)
        else:
            following.push(message.frame)
            stage.acknowledge()

    def stage_event(self, stage: Stage, event: Mapping[str, Any]) -> None:
        """Act on what a stage tells, and pass on what concerns the client."""
        kind = event.get("type")
        if kind == "frame_rate":
            if stage is self._stages[0]:
                self._source.frame_rate = event["frame_rate"]
            if stage is self._stages[-1]:
                self._playout.frame_rate = event["frame_rate"]
        elif kind in {"error", "parameters_rejected"}:
            details = {name: event.get(name) for name in ("field", "pipeline_id")}
            told = error_message(event["code"], event["message"], **details)
            self._notify({**told, "node_id": stage.spec.node_id})
        elif kind == "fatal":
            self._stop(_fatal_error(stage.spec.pipeline_id, event), code=event["code"])

    def stage_recovering(self, stage: Stage, reason: str) -> None:
        """Tell the client that pictures pause."""
        if self.state is SessionState.ACTIVE:
            self._enter(SessionState.RECOVERING)
        self._recovering[stage] = time.monotonic()
        self._notify(
            {"type": "session_recovering", "node_id": stage.spec.node_id, "reason": reason}
        )

    def stage_recovered(self, stage: Stage) -> None:
        """Tell the client that pictures go on."""
        gap_ms = round((time.monotonic() - self._recovering.pop(stage)) * 1000, 1)
        if not self._recovering and self.state is SessionState.RECOVERING:
            self._enter(SessionState.ACTIVE)
        self._notify({"type": "session_recovered", "node_id": stage.spec.node_id, "gap_ms": gap_ms})

    def stage_ended(self, stage: Stage, error: ScopeServeError) -> None:
        """End the session: one of its stages cannot go on."""
        self._stop(error, code=error.code)

    def _stop(self, error: ScopeServeError, *, code: str) -> None:
        if self._failure is not None or self.state is SessionState.CLOSED:
            return
        self._failure = error
        logger.warning(
            "session stopped", extra={"session_id": self.id, "code": code, "reason": str(error)}
        )
        self._notify(stream_stopped(code, str(error)))
        self._on_end()


def _fatal_error(pipeline_id: str, event: Mapping[str, Any]) -> ScopeServeError:
    """Return the error that a stage's last event tells of."""
    message = str(event["message"])
    if event["code"] == InputRequiredError.code:
        return InvalidRequestError(message)
    prefix = str(PipelineCallError(pipeline_id, ""))
    return PipelineCallError(pipeline_id, message.removeprefix(prefix))
