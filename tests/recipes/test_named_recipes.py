"""A recipe by name, by the file and function that hold it, or as the function itself."""

import sys

import pytest

from assay.catalog import RECIPES
from assay.cli import main
from assay.recipes.fused import emoji
from assay.recipes.named import recipe_function

OWN = '''
from __future__ import annotations
from dataclasses import dataclass

@dataclass
class Sizes:
    width: int = 3

def small(*, steps: int = 300, fusion: str = "concat"):
    """A recipe of one's own."""
    return Sizes(steps)
'''


@pytest.fixture
def mine(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(OWN)
    yield path
    sys.modules.pop("assay_recipe_mine", None)


def test_by_name_by_path_and_as_a_function(mine):
    function, folder = recipe_function("fused:emoji")
    assert (function, folder) == (emoji, "fused-emoji")
    function, folder = recipe_function(f"{mine}:small")
    assert function(steps=7).width == 7 and folder == "mine-small"
    assert recipe_function(emoji) == (emoji, "emoji")
    assert {recipe_function(name)[1] for name in RECIPES} == {name.replace(":", "-") for name in RECIPES}


@pytest.mark.parametrize(
    ("recipe", "told"),
    [
        ("fused:emojy", "did you mean fused:emoji"),
        ("{mine}:smal", "did you mean small"),
        ("{mine}:Sizes", "holds no function 'Sizes'"),
        ("absent.py:small", "no file absent.py"),
        ("{mine}", "unknown recipe"),
        (7, "expected a recipe's name"),
    ],
)
def test_what_is_no_recipe_is_told_with_what_there_is(mine, recipe, told):
    with pytest.raises(ValueError, match=told):
        recipe_function(recipe.format(mine=mine) if isinstance(recipe, str) else recipe)


def test_the_command_line_lists_the_options_of_ones_own_recipe(mine, capsys):
    assert main(["train", f"{mine}:small", "--list"]) == 0
    assert capsys.readouterr().out.splitlines() == ["steps: int = 300", "fusion: str = 'concat'"]
    assert main(["train", f"{mine}:small", "stepps=3"]) == 2
    assert "did you mean steps?" in capsys.readouterr().err
