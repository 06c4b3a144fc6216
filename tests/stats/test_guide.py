"""The guide's programs run as they stand."""

import re
from pathlib import Path

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "statistics.md"


def test_the_guide_runs():
    programs = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), flags=re.S)
    assert len(programs) >= 5
    names: dict[str, object] = {}
    for program in programs:
        exec(compile(program, str(GUIDE), "exec"), names)
    assert names["found"].stopped is not None
    assert "x" in names["ratings"].elo()


def test_every_function_that_the_guide_names_is_there():
    from assay import stats

    text = GUIDE.read_text(encoding="utf-8")
    named = set(re.findall(r"`?\bstats\.([a-z_0-9]+)", text)) - {"sequential", "preference"}
    assert named <= set(stats.__all__)
    assert len(named) > 25
