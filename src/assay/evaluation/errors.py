"""What can stop an evaluation from outside: a disk, another process."""

from __future__ import annotations


class StoreError(OSError):
    """The run cannot be written or read: a full or failing disk, a damaged file. Nothing that was committed is lost."""


class RunBusyError(BlockingIOError):
    """Another process writes into the run's folder."""
