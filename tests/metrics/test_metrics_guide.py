"""The guide to metrics runs as it stands."""

import re
from pathlib import Path

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "metrics.md"


def test_the_guide_runs():
    programs = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), flags=re.S)
    assert len(programs) == 6
    names: dict[str, object] = {}
    for program in programs:
        exec(compile(program, str(GUIDE), "exec"), names)
    assert names["found"]["accuracy"].value == 0.5
    assert names["found"]["unparsed"].value == 0.25
    assert list(names["one_way"])[:6] == ["hit@1", "hit@5", "hit@10", "recall@1", "recall@5", "recall@10"]
    assert names["both"]["both"]["rsum"].value > 1
    assert names["gap"]["modality_gap"].low <= names["gap"]["modality_gap"].value
