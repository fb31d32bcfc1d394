"""How far a run has got, on standard error: a bar with the estimated end, or a line now and then in a log file."""

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

from gridhall.cli.say import status
from gridhall.engines.twin.settings import Progress
from gridhall.units import iso_utc

LOG_EVERY_S = 5.0


class Bar:
    """A context manager; `show` is handed to the twin, `count` to whatever has a number of things to do."""

    def __init__(self) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
        times = (TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
        self._bar = RichProgress(*columns, *times, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task("simulating", total=1.0)
        self._on_terminal = sys.stderr.isatty()
        self._said = time.monotonic()

    def __enter__(self) -> Self:
        if self._on_terminal:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._on_terminal:
            self._bar.stop()

    def count(self, done: int, total: int) -> None:
        """Draw how many of something are done."""
        self._draw(done / max(1, total), f"{done:,} of {total:,}")

    def show(self, progress: Progress) -> None:
        """Draw how far the run has got."""
        share = (progress.time_ms - progress.start_ms) / max(1, progress.end_ms - progress.start_ms)
        text = f"{iso_utc(progress.time_ms)[:10]}, {progress.jobs_done:,} of {progress.jobs_submitted:,} jobs done"
        self._draw(share, text)

    def _draw(self, share: float, text: str) -> None:
        self._bar.update(self._task, completed=share, description=text)
        if not self._on_terminal and time.monotonic() - self._said > LOG_EVERY_S:
            self._said = time.monotonic()
            status(f"{share:.0%}, {text}")
