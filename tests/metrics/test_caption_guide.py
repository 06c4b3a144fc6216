"""The guide to caption metrics runs as it stands, and its names are there."""

import re
from pathlib import Path

from assay import metrics

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "captions.md"


def test_the_guide_runs():
    programs = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), flags=re.S)
    assert len(programs) == 4
    names: dict[str, object] = {}
    for program in programs:
        exec(compile(program, str(GUIDE), "exec"), names)
    assert names["found"]["cider_d"].n == 2


def test_every_metric_that_the_guide_names_is_there():
    table = re.findall(r"^\| (`[^|]*) \|", GUIDE.read_text(encoding="utf-8"), flags=re.M)
    named = re.findall(r"`([a-z_0-9]+)`", " ".join(table))
    assert len(named) == 16
    for name in named:
        assert metrics.get(name).definition
