"""What can stop an evaluation from outside: a disk, another process, a signal."""

from __future__ import annotations


class StoreError(OSError):
    """The run cannot be written or read: a full or failing disk, a damaged file. Nothing that was committed is lost."""


class RunBusyError(BlockingIOError):
    """Another process writes into the run's folder."""


class Terminated(SystemExit):
    """The signal to stop came: what was answered is kept, and the process ends. A model's own `SystemExit` is another matter."""
