"""Lets the tests of this room, and the programs that they start, import `distributed_program`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
