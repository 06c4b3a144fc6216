"""Samples in their order, with the media of the next ones decoded meanwhile.

Decoding apart (`assay.data.decoder`) leaves this process waiting; with as many threads as processors it waits for several at once.
What was decoded is found again by ``load`` where the medium keeps it (`assay.data.kept`). Other media, and those decoded here, are
left alone.
"""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from assay.data.media import Audio, Image, Video
from assay.types import MODALITIES, MediaError, Sample

AHEAD = 4
"""Samples for each thread that are begun before they are asked for."""


def ahead(
    samples: Sequence[Sample], modalities: Collection[str] = MODALITIES, *, threads: int | None = None
) -> Iterator[Sample]:
    """The samples, one after another; only media of ``modalities`` are decoded. An error waits until the medium is loaded where it is
    wanted."""
    count = threads or os.cpu_count() or 1
    if count == 1 or not any(worth(sample, modalities) for sample in samples[:AHEAD]):
        yield from samples
        return
    with ThreadPoolExecutor(count, thread_name_prefix="decode") as pool:
        begun: deque[tuple[Sample, Future[None]]] = deque()
        try:
            for sample in samples:
                begun.append((sample, pool.submit(_decode, sample, modalities)))
                if len(begun) > AHEAD * count:
                    yield _done(*begun.popleft())
            while begun:
                yield _done(*begun.popleft())
        finally:
            for _, future in begun:
                future.cancel()


def worth(sample: Sample, modalities: Collection[str]) -> list[Image | Audio | Video]:
    """The media of a sample that are decoded apart and kept."""
    held = [medium for name, medium in sample.inputs.items() if name in modalities]
    return [m for m in held if isinstance(m, Image | Audio | Video) and m.limits.apart and m.kept is not None]


def _decode(sample: Sample, modalities: Collection[str]) -> None:
    for medium in worth(sample, modalities):
        # What is broken is told where it is loaded, by whoever wants it.
        with contextlib.suppress(MediaError, MemoryError):
            medium.load()


def _done(sample: Sample, future: Future[None]) -> Sample:
    future.result()
    return sample
