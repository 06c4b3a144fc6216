"""Decoded media kept for the next time they are asked for, within a bound.

An evaluation asks the same samples under several conditions and of several models; decoding a picture or a sound costs more
than a small net's answer to it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any

from numpy.typing import NDArray

from assay.types import MediaError

LIMIT_BYTES = 400_000_000


class Kept:
    """Read-only arrays by key, ``limit_bytes`` of them at most; what was used longest ago goes first.

    >>> import numpy as np
    >>> kept = Kept()
    >>> kept.get("a", lambda: np.zeros(2)) is kept.get("a", lambda: np.ones(2))
    True
    """

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self.limit_bytes = limit_bytes
        self.bytes = 0
        self.arrays: OrderedDict[Hashable, NDArray[Any]] = OrderedDict()
        self.broken: dict[Hashable, str] = {}
        self.lock = Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        # A copy for another process starts empty: the bytes of the files travel, not what was decoded from them.
        return Kept, (self.limit_bytes,)

    def get(self, key: Hashable, decode: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        """The array of ``key``, decoded now if it is not kept. The key is held as long as its array is.

        A `MediaError` is kept as well, in its words: what cannot be decoded, or hangs, is tried once.
        """
        with self.lock:
            if key in self.arrays:
                self.arrays.move_to_end(key)
                return self.arrays[key]
            told = self.broken.get(key)
        if told is not None:
            raise MediaError(told)
        try:
            array = decode()
        except MediaError as error:
            with self.lock:
                self.broken[key] = str(error)
            raise
        array.setflags(write=False)
        with self.lock:
            if key not in self.arrays and array.nbytes <= self.limit_bytes:
                self.arrays[key] = array
                self.bytes += array.nbytes
                while self.bytes > self.limit_bytes:
                    self.bytes -= self.arrays.popitem(last=False)[1].nbytes
        return array
