"""Every program runs, shortened; what it claims of right and wrong holds already then."""

import importlib
from pathlib import Path

import pytest

PROGRAMS = sorted(p.stem for p in (Path(__file__).parents[2] / "examples").glob("*.py") if p.stem != "__init__")


@pytest.fixture(autouse=True)
def from_the_root(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    monkeypatch.syspath_prepend(Path(__file__).parents[2])


def program(name: str):
    return importlib.import_module(f"examples.{name}")


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_are_short_and_say_what_they_reach(name):
    text = (Path(__file__).parents[2] / "examples" / f"{name}.py").read_text(encoding="utf-8")
    assert text.count("\n") <= 100
    assert text.startswith('"""')
    if name not in ("blind", "pets"):
        assert "Reached" in text and f"python -m examples.{name}" in text


def test_attention_over_one_token_is_deaf():
    found = program("attention_fusion").main(steps=150)
    assert found["deaf"] == 0.5 and found["repaired"] > 0.6


def test_a_tuned_clip_knows_what_it_did_not():
    before, after = program("clip_finetune").main(epochs=3, count=300)
    assert after > before


def test_questions_about_pictures():
    found = program("vqa_transformer").main(steps=20, tested=100)
    assert set(found) == {"sighted", "blind"} and all(one.n > 0 for one in found.values())


def test_cats_and_dogs():
    found = program("cats_and_dogs").main(steps=4)
    assert [one.n for one in found.values()] == [17, 17, 17]
    _, texts, classes, _, names = program("pets").pets()
    assert not any("cat" in text.split() or "dog" in text.split() for text in texts)
    fold = program("pets").folds(names, classes)
    assert len({(name, f) for name, f in zip(names, fold, strict=True)}) == len(set(names))


def test_cats_and_dogs_in_keras():
    pytest.importorskip("keras", reason="the extra assay[keras] is not installed")
    found = program("cats_and_dogs_keras").main(epochs=1)
    assert found.n == 4


def test_features_that_were_trained_elsewhere():
    pytest.importorskip("efficientnet_lite_pytorch", reason="the extra assay[pretrained] is not installed")
    found = program("pretrained_probe").main(every=60)
    assert found["EfficientNet-Lite0"]["test"].value > found["pixels"]["test"].value > 1 / 9


def test_the_three_objects_at_work():
    found = program("retrieval").main(epochs=1, limit=60)
    assert {"accuracy", "macro_f1"} < set(found)


def test_the_blind_function_is_a_model_for_questions():
    blind = program("blind")
    from assay import Sample

    asked = ["Is it red?", "How many dogs?", "What colour is it?", "Why?", ""]
    assert blind.answer([Sample(q, {"text": q}) for q in asked]) == ["yes", "2", "white", "unknown", "unknown"]
