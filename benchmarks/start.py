"""How long a user waits before anything happens."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

from benchmarks.pairing import Pairing, pair


def process(code: str) -> None:
    """A fresh interpreter that runs ``code``."""
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def pairings() -> Iterator[Pairing]:
    """Help and import, beside a bare interpreter and beside torch."""
    yield pair(
        "assay --help",
        lambda: process("from assay.cli import main; main(['--help'])"),
        "an empty interpreter",
        lambda: process("pass"),
    )
    yield pair("import assay", lambda: process("import assay"), "import torch", lambda: process("import torch"))
    yield pair(
        "import assay.metrics",
        lambda: process("import assay.metrics"),
        "import sklearn.metrics",
        lambda: process("import sklearn.metrics"),
    )
    yield pair(
        "import assay.metrics; metrics.score",
        lambda: process("from assay import metrics; metrics.score(['accuracy'], ['a'], ['a'])"),
        "import sklearn.metrics",
        lambda: process("import sklearn.metrics"),
    )
