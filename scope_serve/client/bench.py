"""Measures a Scope-compatible server from outside, with a number of sessions at once."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scope_serve.client.arrivals import ReceivedFrame
from scope_serve.client.client import ScopeClient
from scope_serve.client.errors import ClientError, ServerResponseError, StreamStoppedError
from scope_serve.client.figures import Arrival, SessionRecord, Window
from scope_serve.client.latency import pair
from scope_serve.client.loading import is_not_loaded, load_and_wait
from scope_serve.client.peer import Codec
from scope_serve.client.pictures import TestPattern
from scope_serve.client.session import ClientSession
from scope_serve.client.sources import TestPatternSource
from scope_serve.client.wire import InputMode
from scope_serve.tasks import TaskScope

_TAIL_S = 1.0


@dataclass(frozen=True, slots=True)
class BenchPlan:
    """What to measure.

    Attributes:
        sessions: How many sessions at once, one level after the other.
        load: Load the pipelines first, as a desktop Scope wants it.
    """

    pipeline_ids: tuple[str, ...]
    mode: InputMode = "video"
    sessions: tuple[int, ...] = (1, 2)
    width: int = 640
    height: int = 360
    fps: float = 30.0
    duration_s: float = 8.0
    warmup_s: float = 3.0
    codec: Codec = "VP8"
    load: bool = False
    timeout_s: float = 120.0


@dataclass(frozen=True, slots=True)
class LevelRecord:
    """Everything that was observed at one number of sessions.

    Attributes:
        wanted: How many sessions were asked for.
        records: What each connected session observed.
        failures: One sentence per session that failed.
        client_cpu_percent: This process's use of one core within the window.
    """

    wanted: int
    window: Window
    records: tuple[SessionRecord, ...]
    failures: tuple[str, ...]
    client_cpu_percent: float


class _Probe:
    """One session of a level."""

    def __init__(self, plan: BenchPlan, pattern: TestPattern | None) -> None:
        self._plan = plan
        self._source = None if pattern is None else TestPatternSource(pattern, fps=plan.fps)
        self._session: ClientSession | None = None
        self._arrivals: list[Arrival] = []

    async def connect(self, client: ScopeClient) -> None:
        """Open the session."""
        self._session = await client.connect(
            pipeline_ids=self._plan.pipeline_ids,
            video=self._source,
            codec=self._plan.codec,
            timeout_s=self._plan.timeout_s,
        )

    async def receive(self) -> None:
        """Take every picture as soon as it is here."""
        assert self._session is not None
        async for received in self._session.timed_frames():
            self._arrivals.append(self._read(received))
        raise StreamStoppedError("it ended the session while it was being measured")

    async def aclose(self) -> None:
        """End the session."""
        if self._source is not None:
            await self._source.aclose()
        if self._session is not None:
            await self._session.aclose()

    def record(self) -> SessionRecord:
        """Return what was observed."""
        assert self._session is not None
        sent = None if self._source is None else self._source.sent
        stats = self._session.stats
        return SessionRecord(self._session.timings, sent, tuple(self._arrivals), stats.server)

    def _read(self, received: ReceivedFrame) -> Arrival:
        picture = received.picture
        pairing = None if self._source is None else pair(received, self._source.sent)
        size = f"{picture.width}x{picture.height}"
        return Arrival(received.arrived_s, size, None if pairing is None else pairing.sent)


async def measure(
    client: ScopeClient, plan: BenchPlan, on_level: Callable[[int], None] | None = None
) -> list[LevelRecord]:
    """Measure every level of ``plan``, one after the other.

    Raises:
        ClientError: The pipelines cannot be loaded.
    """
    if plan.load:
        await load_and_wait(client, plan.pipeline_ids, plan.timeout_s)
    pattern = TestPattern(plan.width, plan.height) if plan.mode == "video" else None
    levels = []
    for count in plan.sessions:
        if on_level is not None:
            on_level(count)
        try:
            level = await _measure_level(client, plan, pattern, count)
        except ServerResponseError as error:
            if not is_not_loaded(error):
                raise
            await load_and_wait(client, plan.pipeline_ids, plan.timeout_s)
            level = await _measure_level(client, plan, pattern, count)
        levels.append(level)
    return levels


async def _measure_level(
    client: ScopeClient, plan: BenchPlan, pattern: TestPattern | None, count: int
) -> LevelRecord:
    probes = [_Probe(plan, pattern) for _ in range(count)]
    failures: list[str] = []
    async with contextlib.AsyncExitStack() as stack:
        for probe in probes:
            stack.push_async_callback(probe.aclose)
        scope = await stack.enter_async_context(
            TaskScope(on_error=lambda error: failures.append(str(error)))
        )
        connected = await _connect_all(client, probes, failures)
        for place, probe in enumerate(connected):
            scope.start(probe.receive(), name=f"bench/{place}")
        window, cpu_percent = await _watch(plan, connected)
    records = tuple(probe.record() for probe in connected)
    return LevelRecord(count, window, records, tuple(failures), cpu_percent)


async def _connect_all(
    client: ScopeClient, probes: Sequence[_Probe], failures: list[str]
) -> list[_Probe]:
    """Connect at once; return the probes that could, and note why the others could not."""
    outcomes = await asyncio.gather(
        *(probe.connect(client) for probe in probes), return_exceptions=True
    )
    connected = []
    for probe, outcome in zip(probes, outcomes, strict=True):
        if outcome is None:
            connected.append(probe)
        elif isinstance(outcome, ClientError) and not _means_loading(outcome):
            failures.append(str(outcome))
        else:
            raise outcome
    return connected


def _means_loading(error: ClientError) -> bool:
    return isinstance(error, ServerResponseError) and is_not_loaded(error)


async def _watch(plan: BenchPlan, connected: Sequence[_Probe]) -> tuple[Window, float]:
    """Wait until the window and its last pictures are over."""
    start_s = time.monotonic()
    if not connected:
        return Window(start_s, start_s), 0.0
    await asyncio.sleep(plan.warmup_s)
    start_s, cpu_s = time.monotonic(), time.process_time()
    await asyncio.sleep(plan.duration_s)
    end_s = time.monotonic()
    cpu_percent = (time.process_time() - cpu_s) / (end_s - start_s) * 100
    await asyncio.sleep(_TAIL_S)
    return Window(start_s, end_s), cpu_percent
