"""Models for processes of their own: named as py:FILE:function, they cannot be told anything but by the environment and by files."""

import hashlib
import os
import time
from pathlib import Path


def words(samples):
    return [hashlib.sha256(sample.inputs["text"].encode()).hexdigest()[:6] for sample in samples]


def note(samples):
    if "ASSAY_TEST_ASKED" in os.environ:
        with Path(os.environ["ASSAY_TEST_ASKED"]).open("a") as file:
            file.write(f"{os.getpid()} {' '.join(s.id for s in samples)}\n")


def steady(samples, choices=None):
    note(samples)
    time.sleep(0.01)
    return words(samples)


def poisoned(samples, choices=None):
    """Ends its process for one sample, hangs for another, raises for a third."""
    note(samples)
    for sample in samples:
        if sample.id == "3":
            os._exit(0)
        if sample.id == "5":
            time.sleep(60)
        if sample.id == "8":
            raise RuntimeError("no eight")
    return words(samples)
