"""Lets the tests of this room import `probe_truths`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
