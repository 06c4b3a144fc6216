"""Lets all tests import the made-up cases of `tests/metrics`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "metrics"))
