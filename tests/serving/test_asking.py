"""Models that write: what they are asked, what an answer is made of, what is refused and how."""

from __future__ import annotations

import numpy as np
import pytest

from assay.serving.answer import answer, asked
from assay.types import Sample


class Picture:
    modality, source = "image", "memory"

    def load(self):
        return np.zeros((2, 2, 3), np.uint8)


class Free:
    """Writes what it was asked; it knows of no skills, as an endpoint or a plain function."""

    name, fingerprint, modalities = "free", "0", frozenset({"text", "image"})

    def generate(self, samples, modality="text"):
        return [f"you said {s.inputs.get('text', 'nothing')}" for s in samples]


class Trained(Free):
    """The same, trained for some requests."""

    name = "trained"

    def __init__(self, *skills):
        self.skills = skills


class Chooser:
    name, fingerprint, modalities, classes = "chooser", "0", frozenset({"text", "image"}), ("a", "b", "c")

    def score(self, samples, choices):
        return np.log(np.tile(np.arange(len(choices), 0, -1) / sum(range(len(choices) + 1)), (len(samples), 1))).astype(
            np.float32
        )


def ask(model, question, **more):
    return answer(model, Sample("q", {"text": asked(model, question, False), "image": Picture()}), write=True, **more)


def test_a_question_is_what_the_model_answers_to():
    got = ask(Free(), "what colour?")
    assert got.text == got.sentence == "you said what colour?" and got.names == () and got.classes == ()
    assert ask(Trained("ask"), "why?").text == "you said why?"


def test_a_description_is_asked_for_in_the_usual_words():
    assert asked(Free(), None, True) == asked(Trained("describe"), None, "en") == "Describe the picture."
    assert asked(Trained("describe"), None, "zh") == "描述这张图片。"
    assert asked(Free(), None, False) is None


def test_what_a_model_was_not_trained_for_is_refused_with_what_it_can():
    with pytest.raises(ValueError, match="trained was not trained to describe: use --ask"):
        asked(Trained("ask"), None, True)
    with pytest.raises(ValueError, match="trained was not trained to answer questions: use --describe"):
        asked(Trained("describe", "name"), "why?", False)
    with pytest.raises(ValueError, match="chooser does not write: it gives choices"):
        ask(Chooser(), "why?")
    with pytest.raises(ValueError, match="answers questions: ask one"):
        answer(Trained("ask"), Sample("q", {"image": Picture()}))


@pytest.mark.parametrize(
    ("question", "describe", "words"),
    [("", False, "empty"), (" \n", False, "empty"), ("why?", True, "not both"), (None, "xx", "'xx': there is en, zh")],
)
def test_requests_that_make_no_sense_are_told(question, describe, words):
    with pytest.raises(ValueError, match=words):
        asked(Free(), question, describe)


def test_a_model_that_describes_does_so_unasked_and_its_choices_stand_beside():
    class Both(Trained):
        classes = ("yes", "no")

        def score(self, samples, choices):
            return np.log(np.full((len(samples), len(choices)), 1 / len(choices), np.float32))

    got = answer(Both("describe"), Sample("q", {"image": Picture()}))
    assert got.text == "you said nothing" and [g.label for g in got.classes] == ["yes", "no"]
    assert got.shortened(1).classes == got.classes[:1] and got.as_json()["sentence"] == got.text
