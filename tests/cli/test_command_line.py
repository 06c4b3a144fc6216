"""The command line as a user meets it: help, wrong usage, unknown names, exit codes."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest

from assay.catalog import VERBS, attribute, nearest
from assay.cli import main
from assay.cli.options import Command, arg, parse
from assay.cli.run import run


def test_help_lists_every_verb(capsys):
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(f"  {verb} " in out for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example(verb, capsys):
    with pytest.raises(SystemExit) as stop:
        main([verb, "--help"])
    assert stop.value.code == 0
    assert f"example:\n  assay {verb}" in capsys.readouterr().out


def test_unknown_verb_names_its_neighbour(capsys):
    assert main(["evalute"]) == 2
    assert "did you mean evaluate?" in capsys.readouterr().err


def test_a_misspelt_option_is_refused(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["evaluate", "assay:aligned", "emoji", "--tsak", "retrieval"])
    assert stop.value.code == 2
    assert "--tsak" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["evaluate", "assay:alined", "emoji", "--task", "classification"], "did you mean assay:aligned"),
        (["evaluate", "baseline:chance", "emoij", "--task", "classification"], "did you mean emoji?"),
        (["evaluate", "baseline:chance", "emoji:tset", "--task", "classification"], "test"),
        (["evaluate", "baseline:chance", "emoji", "--task", "retreival"], "did you mean retrieval?"),
        (["predict", "nowhere/at/all", "--text", "x"], "no folder of that name"),
        (["train", "alinged:emoji"], "did you mean aligned:emoji?"),
        (["predict", "assay:aligned", "--choices", "cat"], "at least two"),
        (["compare", "nowhere", "neither"], "nowhere"),
        (["report", "nowhere"], "nowhere"),
    ],
)
def test_a_users_mistake_is_one_line_and_exit_2(arguments, expected, capsys):
    assert main(arguments) == 2
    err = capsys.readouterr().err
    assert expected in err
    assert err.count("\n") <= 3, err
    assert "Traceback" not in err


def test_help_imports_nothing_heavy():
    heavy = "('numpy', 'torch', 'rich', 'polars')"
    code = f"import sys; from assay.cli import main; main(['--help']); print([m for m in {heavy} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.rstrip().endswith("[]")


def test_import_assay_needs_no_torch():
    code = "import sys, assay; dir(assay); print('torch' in sys.modules, 'numpy' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.split() == ["False", "False"]


def test_every_verb_in_the_catalogue_exists():
    assert all(attribute(path).name == verb for verb, (path, _) in VERBS.items())


@dataclasses.dataclass(frozen=True)
class Options:
    """Options of every kind."""

    first: str = arg("a place")
    rest: tuple[str, ...] = arg("more places", default=(), positional=True)
    limit: int | None = arg("a number", default=None)
    rate: float = arg("a rate", default=0.5)
    loud: bool = arg("a switch", default=False)


def raising(error):
    def act(options):
        raise error

    return Command("act", Options, act, "assay act x")


def test_options_are_parsed_into_the_dataclass():
    parsed = parse(raising(None), ["x", "a=1", "b=2", "--limit", "3", "--loud"])
    assert parsed == Options("x", ("a=1", "b=2"), 3, 0.5, True)


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (KeyboardInterrupt(), 130, "goes on from where it stopped"),
        (ValueError("expected this, got that"), 2, "expected this, got that"),
        (ModuleNotFoundError("no", name="torch"), 2, "pip install 'assay[torch]'"),
        (OSError(28, "No space left on device"), 74, "No space left"),
        (BlockingIOError("held by pid 7"), 75, "held by pid 7"),
    ],
)
def test_failures_have_their_exit_codes(error, code, text, capsys):
    assert run(raising(error), ["x"]) == code
    assert text in capsys.readouterr().err


def test_a_defect_of_ours_keeps_its_traceback():
    with pytest.raises(AssertionError):
        run(raising(AssertionError("broken")), ["x"])


def test_nearest_lists_everything_where_nothing_is_near():
    assert nearest("zzz", ["emoji", "digits"]) == "there is digits, emoji."
