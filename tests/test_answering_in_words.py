"""A picture in, words out: what the first user of the shipped models that write does, from the command line and from Python."""

import json
from pathlib import Path

import pytest

import assay
from assay.cli import main
from assay.recipes.described import emoji_writer
from assay.recipes.overrides import configure
from assay.recipes.vqa import easy_vqa


@pytest.fixture(scope="module")
def sample():
    return next(
        s for s in assay.load_dataset("easy-vqa:test").samples if s.inputs["text"] == "what color is the shape?"
    )


@pytest.fixture(scope="module")
def picture(sample, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("media") / "shape.webp"
    path.write_bytes(sample.inputs["image"].content)
    return path


def test_a_question_about_a_picture_is_answered_at_once(picture, sample, capsys) -> None:
    assert main(["predict", "assay:vqa", "--image", str(picture), "--ask", "What colour is the shape"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == f"vqa on text + image: {sample.target}"
    assert main(["predict", "assay:vqa", "--image", str(picture), "--ask", f"is it {sample.target}?", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["sentence"] == told["text"] == "yes" and told["classes"][0]["label"] == "yes"
    assert assay.predict("assay:vqa", image=picture, ask=f"is it not {sample.target}?").sentence == "no"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--describe"], "was not trained to describe: use --ask"),
        ([], "answers questions: ask one"),
        (["--ask", " "], "the question is empty"),
        (["--ask", "why?", "--text", "x"], "not both"),
        (["--ask", "why?", "--describe"], "not both"),
        (["--language", "zh"], "in which language to --describe"),
    ],
)
def test_what_cannot_be_answered_is_told(picture, capsys, arguments, words) -> None:
    assert main(["predict", "assay:vqa", "--image", str(picture), *arguments]) == 2
    assert words in capsys.readouterr().err


def test_a_model_that_writes_is_measured_by_what_the_data_asks_with_the_picture_and_without() -> None:
    run = assay.evaluate("assay:vqa", "easy-vqa[:120]")
    found = {(e.metric, e.condition): e for e in run.estimates if e.slice == "all"}
    assert run.manifest.task == "vqa" and run.complete
    assert found["accuracy", "clean"].value > 0.97 > 0.85 > found["accuracy", "drop:image"].value
    assert found["unparsed", "clean"].value == 0


def test_options_of_recipes_that_make_no_sense_are_told() -> None:
    options = {"recipe": "captioner:emoji", "frozen": True, "encoder": "scratch"}
    with pytest.raises(ValueError, match="frozen=false, or encoder=assay:aligned"):
        emoji_writer(options, attach="cross")
    with pytest.raises(ValueError, match="no option 'fuson': did you mean fusion"):
        configure(easy_vqa, {"fuson": "gated"})


def test_the_shipped_captioner_names_and_describes_in_a_style_it_never_saw(tmp_path, capsys) -> None:
    data = assay.load_dataset("emoji:test[:150]")
    run = assay.evaluate("assay:captioner", data, task="naming")
    found = {(e.metric, e.condition): e.value for e in run.estimates if e.slice == "all"}
    assert found["exact_match", "clean"] > 0.4
    assert assay.load_model("assay:captioner").skills == ("describe", "name", "sort")
    apple = next(s for s in assay.load_dataset("emoji:test").samples if s.groups["name"] == "sunglasses")
    path = tmp_path / "picture.webp"
    path.write_bytes(apple.inputs["image"].bytes_and_mime()[0])
    assert main(["predict", "assay:captioner", "--image", str(path), "--describe"]) == 0
    assert "sunglasses" in capsys.readouterr().out
    assert main(["predict", "assay:captioner", "--image", str(path), "--describe", "--language", "zh"]) == 0
    assert "墨镜" in capsys.readouterr().out
