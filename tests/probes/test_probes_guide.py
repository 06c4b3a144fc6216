"""The guide to probes runs as it stands and has a chapter for every probe."""

from __future__ import annotations

import re
from pathlib import Path

from assay.catalog import PROBES

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "probes.md"


def test_the_guide_runs():
    programs = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), flags=re.S)
    names: dict[str, object] = {}
    for program in programs:
        exec(compile(program, str(GUIDE), "exec"), names)
    assert len(programs) > 8


def test_every_probe_has_a_chapter():
    chapters = re.findall(r"^## .*`([a-z_]+)`$", GUIDE.read_text(encoding="utf-8"), flags=re.M)
    assert chapters == list(PROBES)
