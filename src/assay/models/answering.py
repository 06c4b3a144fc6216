"""What every model made of a net does at its edge: samples to a batch, choices to columns, torch's errors to Python's."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from assay.catalog import nearest
from assay.data.batch import Batch
from assay.models.layers import parameter_count
from assay.models.processor import Processor
from assay.types import Sample

T = TypeVar("T")
SMALL = 20_000_000  # parameters


def batch_of(
    name: str, processor: Processor, samples: Sequence[Sample], takes: Sequence[str], modality: str | None
) -> Batch:
    """The samples as a batch of one modality, or of all that the model ``takes``.

    `ValueError` for a modality that it does not take and for a sample that has nothing for it.
    """
    if modality is not None and modality not in takes:
        raise ValueError(f"{name} does not take {modality!r}: {nearest(modality, takes)}")
    wanted = tuple(takes) if modality is None else (modality,)
    for sample in samples:
        if not any(one in sample.inputs for one in wanted):
            has = ", ".join(sample.modalities) or "nothing"
            raise ValueError(f"sample {sample.id!r} has {has}, {name} needs {' or '.join(wanted)}")
    return processor.batch(samples, wanted)


def columns_of(name: str, classes: Sequence[str], choices: Sequence[str]) -> list[int]:
    """The head's columns for the choices; empty for a model without a head, which takes any."""
    if not choices:
        raise ValueError(f"{name} was given no choices to score")
    for choice in choices if classes else ():
        if choice not in classes:
            raise ValueError(f"{name} does not know the class {choice!r}: {nearest(choice, classes)}")
    return [classes.index(choice) for choice in choices] if classes else []


def guarded(name: str, net: nn.Module, compute: Callable[[], T]) -> T:
    """Run without gradients, a small ``net`` on one thread; torch's way of saying "out of memory" becomes Python's."""
    threads = 1 if parameter_count(net) < SMALL else torch.get_num_threads()
    try:
        with torch.inference_mode(), at_most_threads(threads):
            return compute()
    except RuntimeError as error:
        if "memory" in str(error).lower():
            raise MemoryError(f"{name}: {error}") from error
        raise


@contextlib.contextmanager
def at_most_threads(threads: int) -> Iterator[None]:
    """Within, torch uses no more threads than these.

    The operations of a small net are over before several threads have found each other; where other work shares the
    machine they wait in turn, and took sixteen times the processor's time of one thread.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(min(threads, before))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def as_float32(values: Tensor) -> NDArray[np.float32]:
    """The same numbers as numpy keeps them."""
    out: NDArray[np.float32] = values.numpy().astype(np.float32, copy=False)
    return out
