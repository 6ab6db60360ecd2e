"""The progress bar of ``scope-serve stream``, on stderr."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from scope_serve.cli.options import ABSENT
from scope_serve.client.progress import StreamProgress


class ProgressBar:
    """Shows frames, rates and latency while a stream runs. Draws nothing without a terminal."""

    def __init__(self, *, total_s: float | None, is_shown: bool) -> None:
        console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not (is_shown and console.is_terminal),
        )
        self._task = self._bar.add_task("connecting", total=total_s)

    def update(self, progress: StreamProgress) -> None:
        """Show how far the stream is."""
        elapsed_s = (progress.last_s or 0.0) - (progress.first_s or 0.0)
        self._bar.update(self._task, completed=elapsed_s, description=describe(progress))

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()


def describe(progress: StreamProgress) -> str:
    """Return the counters as one short line."""
    latest = progress.latencies_ms or progress.server_latencies_ms
    kind = "end to end" if progress.latencies_ms else "server"
    latency = f"{latest[-1]:.0f} ms {kind}" if latest else ABSENT
    return (
        f"{progress.frames_sent} in at {progress.fps_sent:.0f} fps, "
        f"{progress.frames_received} out at {progress.fps_now:.0f} fps, latency {latency}"
    )
