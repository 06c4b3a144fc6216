"""What every bundled data set says of itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from assay.data.dataset import Dataset


@dataclass(frozen=True)
class Bundle:
    """A data set in one line, its splits in one line each, those it is measured by, and how to read some of them.

    ``read`` takes the names of splits and the name that the data set shall have.
    """

    summary: str
    splits: Mapping[str, str]
    default: tuple[str, ...]
    read: Callable[[tuple[str, ...], str], Dataset]
