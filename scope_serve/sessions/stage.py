"""One stage of a session: keeps a place on some replica for as long as the session lives."""

import dataclasses
import logging
from collections.abc import Mapping
from typing import Any, Protocol

from scope_serve.errors import (
    CapacityError,
    LinkError,
    LinkProtocolError,
    ScopeServeError,
    StageLostError,
)
from scope_serve.frames import I420Frame
from scope_serve.links.connection import FrameLink
from scope_serve.links.messages import (
    Acknowledge,
    EventMessage,
    FrameMessage,
    LinkMessage,
    ParametersMessage,
)
from scope_serve.sessions.chain import StageSpec
from scope_serve.sessions.leases import StageLease, StageLeases
from scope_serve.sessions.ledger import ParameterLedger
from scope_serve.stages.error_budget import ErrorBudget, FailureWindow
from scope_serve.tasks import TaskScope

logger = logging.getLogger(__name__)

MAX_REPLICAS_LOST = 3
LOSS_WINDOW_S = 300.0
"""A stage that loses this many replicas within this time is taken for the cause, and the session
ends. Replicas that are lost now and then, as machines are, do not add up."""


class StageListener(Protocol):
    """The session, as a stage sees it. Called on the event loop; must not block."""

    def stage_frame(self, stage: "Stage", message: FrameMessage) -> None:
        """Take a picture. It must be acknowledged through `Stage.acknowledge` sooner or later."""

    def stage_event(self, stage: "Stage", event: Mapping[str, Any]) -> None:
        """Take something that the stage tells: an error, its frame rate."""

    def stage_recovering(self, stage: "Stage", reason: str) -> None:
        """Learn that the stage lost its replica and looks for another."""

    def stage_recovered(self, stage: "Stage") -> None:
        """Learn that the stage has a replica again."""

    def stage_ended(self, stage: "Stage", error: ScopeServeError) -> None:
        """Learn that the stage cannot go on; the session must end."""


class Stage:
    """Sends pictures to a leased replica and gets the processed ones back.

    When the link breaks, another replica is leased and gets the parameters accumulated so far;
    pictures that arrive meanwhile are dropped and counted.
    """

    def __init__(
        self,
        spec: StageSpec,
        leases: StageLeases,
        parameters: Mapping[str, Any],
        listener: StageListener,
    ) -> None:
        self.spec = spec
        self._dropped = 0
        self._leases = leases
        self._listener = listener
        # The mode that a client asks for is the first stage's; ``spec`` has this stage's own.
        own = {name: value for name, value in parameters.items() if name != "input_mode"}
        self._ledger = ParameterLedger(own)
        self._lease: StageLease | None = None
        self._end: _LinkEnd | None = None
        self._tasks = TaskScope(on_error=self._fail)
        self._losses = FailureWindow(ErrorBudget(MAX_REPLICAS_LOST, LOSS_WINDOW_S))
        self._is_closed = False

    @property
    def frames_dropped(self) -> int:
        """Pictures for the stage that were dropped on the way to it."""
        link = 0 if self._lease is None else self._lease.link.frames_dropped
        return self._dropped + link

    @property
    def replica(self) -> str | None:
        """Name of the replica that the stage runs on now."""
        return None if self._lease is None else self._lease.replica

    @property
    def input_mode(self) -> str:
        """The mode that the stage runs in now."""
        return str(self._ledger.accepted.get("input_mode", self.spec.input_mode))

    async def start(self) -> None:
        """Lease a place and connect.

        Raises:
            ScopeServeError: As `StageLeases.acquire`.
        """
        await self._acquire(is_recovery=False)

    async def _acquire(self, *, is_recovery: bool) -> None:
        end = _LinkEnd(self)
        self._end = end
        spec = dataclasses.replace(self.spec, input_mode=self.input_mode)
        lease = await self._leases.acquire(
            spec, self._ledger.accepted, end, is_recovery=is_recovery
        )
        if self._is_closed:
            await lease.release()
            raise StageLostError(f"stage {self.spec.node_id!r} was closed while it started")
        self._lease = lease
        self._ledger.started()
        self._send_parameters()
        early, end.early = end.early, []
        for message in early:
            self.received(end, message)
        if end.reason is not None:
            self._lost(end, end.reason)

    def push(self, frame: I420Frame) -> None:
        """Send ``frame`` to the stage; dropped and counted while there is no replica."""
        link = self._open_link()
        if link is None:
            self._dropped += 1
        else:
            link.offer_frame(frame)

    def update(self, parameters: Mapping[str, Any]) -> None:
        """Send runtime parameters, now or as soon as the stage can take them.

        Raises:
            InvalidRequestError: They are too many to be kept.
        """
        self._ledger.add(parameters)
        self._send_parameters()

    def _send_parameters(self) -> None:
        link = self._open_link()
        while link is not None and (parameters := self._ledger.take()) is not None:
            try:
                link.send(ParametersMessage(parameters))
            except LinkProtocolError as error:
                self._ledger.withdraw()
                told = {"type": "error", "code": error.code, "message": str(error)}
                self._listener.stage_event(self, told)

    def acknowledge(self, frame_count: int = 1) -> None:
        """Let the stage make as many pictures more."""
        link = self._open_link()
        if link is not None:
            link.send(Acknowledge(frame_count))

    async def aclose(self) -> None:
        """Give the place back. Idempotent."""
        self._is_closed = True
        await self._tasks.aclose()
        lease, self._lease = self._lease, None
        if lease is not None:
            await lease.release()

    def _open_link(self) -> FrameLink | None:
        if self._lease is None or self._lease.link.is_closed:
            return None
        return self._lease.link

    # what the link tells

    def received(self, end: "_LinkEnd", message: LinkMessage) -> None:
        """Pass on what came over the link in use; called by its end."""
        if end is not self._end or self._is_closed:
            return
        if self._lease is None:
            # Nothing could be acknowledged yet. The stage sends no more than two chunks ahead.
            end.early.append(message)
        elif isinstance(message, FrameMessage):
            self._listener.stage_frame(self, message)
        elif isinstance(message, EventMessage):
            self._event(message.event)

    def _event(self, event: Mapping[str, Any]) -> None:
        kind = event.get("type")
        if kind in {"parameters_accepted", "parameters_rejected"}:
            self._ledger.answered(is_accepted=kind == "parameters_accepted")
            self._send_parameters()
        if kind != "parameters_accepted":
            self._listener.stage_event(self, event)

    def closed(self, end: "_LinkEnd", reason: str) -> None:
        """Look for another replica if the link in use broke; called by its end."""
        if end is self._end and self._lease is not None:
            self._lost(end, reason)

    def _lost(self, end: "_LinkEnd", reason: str) -> None:
        if end is not self._end or self._is_closed:
            return
        self._end = None
        self._ledger.lost()
        self._tasks.start(self._recover(reason), name=f"stage/{self.spec.node_id}/recover")

    async def _recover(self, reason: str) -> None:
        logger.warning(
            "stage lost its replica",
            extra={"node_id": self.spec.node_id, "replica": self.replica, "reason": reason},
        )
        self._listener.stage_recovering(self, reason)
        if (lease := self._lease) is not None:
            await lease.release()
            self._dropped += lease.link.frames_dropped
            self._lease = None  # not before: `aclose` may interrupt the release, and repeats it
        if self._losses.record():
            lost = f"stage {self.spec.node_id!r} lost {MAX_REPLICAS_LOST} replicas: {reason}"
            raise StageLostError(lost)
        try:
            await self._acquire(is_recovery=True)
        except (CapacityError, LinkError) as error:
            raise StageLostError(f"stage {self.spec.node_id!r}: {reason}; {error}") from error
        self._listener.stage_recovered(self)

    def _fail(self, error: BaseException) -> None:
        if not isinstance(error, ScopeServeError):
            logger.error("stage failed", exc_info=error, extra={"node_id": self.spec.node_id})
            error = StageLostError(f"stage {self.spec.node_id!r}: internal error")
        self._listener.stage_ended(self, error)


class _LinkEnd:
    """Ties one link to its stage, so that a link of the past cannot speak for the present."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.reason: str | None = None
        self.early: list[LinkMessage] = []

    def message_received(self, message: LinkMessage) -> None:
        self._stage.received(self, message)

    def link_closed(self, reason: str) -> None:
        self.reason = reason
        self._stage.closed(self, reason)
