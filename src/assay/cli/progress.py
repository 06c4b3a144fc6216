"""A progress bar on standard error: rate, time left, failures; a line now and then where there is no terminal."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

EVERY_S = 20.0


class Bar:
    """Called with (done, planned, failed); a context manager, so that the terminal is left clean whatever happens.

    On a terminal a live bar; elsewhere a plain line at most every 20 seconds, so that a log shows that work goes on.
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self.console = Console(stderr=True)
        self.live: Progress | None = None
        self.task: TaskID | None = None
        self.started = self.said = time.monotonic()
        self.done = 0

    def __enter__(self) -> Bar:
        if self.console.is_terminal:
            self.live = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[note]}"),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                console=self.console,
                transient=True,
            )
            self.live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.live is not None:
            self.live.stop()

    def __call__(self, done: int, planned: int, failed: int = 0) -> None:
        now = time.monotonic()
        rate = done / max(now - self.started, 1e-9)
        note = (f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.2g}/s") + (f", {failed} failed" if failed else "")
        if self.live is not None:
            if self.task is None:
                self.task = self.live.add_task(self.title, total=planned, note=note)
            self.live.update(self.task, completed=done, total=planned, note=note)
        elif now - self.said >= EVERY_S:
            self.said = now
            left = (planned - done) / max(rate, 1e-9)
            print(f"{self.title}: {done} of {planned}, {note}, about {left:.0f} s left", file=sys.stderr, flush=True)
