"""Lets all tests import the made-up cases of `tests/metrics`, and keeps the runs that they make out of the user's index."""

import os
import sys
import tempfile
from pathlib import Path

os.environ["XDG_DATA_HOME"] = tempfile.mkdtemp(prefix="assay-tests-")

sys.path.insert(0, str(Path(__file__).parent / "metrics"))
