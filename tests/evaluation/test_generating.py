"""Answers in words: what is asked, what is kept, what it is read as, what the figures are; faults and resuming."""

from dataclasses import dataclass

import numpy as np
import polars
import pytest
from evaluation_fakes import FakeMedia, Recorded, Scorer

from assay.data.dataset import Dataset
from assay.evaluation.compare import compare
from assay.evaluation.evaluate import evaluate
from assay.evaluation.examples import notable
from assay.evaluation.run import load_run
from assay.evaluation.tasks import captioning, captioning_zh, naming, vqa
from assay.evaluation.tasks.generating import ChoiceReader
from assay.types import CLEAN, Sample

COLOURS = ("red", "blue")


@dataclass
class Writer(Recorded):
    """Says what its table has for a sample's id, blindly something else."""

    said: dict[str, object] = None
    blind: str = "blue"

    def generate(self, samples, modality="text"):
        self.record(samples)
        return [self.said.get(s.id, "red") if "image" in s.inputs else self.blind for s in samples]


def questions(count=8):
    samples = [
        Sample(
            f"q{i}",
            {"text": "what colour?", "image": FakeMedia("image", f"p{i // 2}")},
            COLOURS[i % 2],
            (COLOURS[i % 2],),
            {"image": f"p{i // 2}", "split": "ab"[i % 2]},
        )
        for i in range(count)
    ]
    return Dataset("colours", samples, "c-1", choices=COLOURS, slices=("split",), asks="vqa")


def figure(run, metric, condition="clean", part="all"):
    (found,) = [e for e in run.estimates if (e.metric, e.condition, e.slice) == (metric, condition, part)]
    return found


def test_answers_are_kept_as_they_came_read_as_choices_and_asked_blindly_too():
    model = Writer(said={"q1": "Blue.", "q3": "perhaps green", "q5": "It is blue!", "q7": ""})
    run = evaluate(model, vqa(questions()), speed=False)
    clean = run.predictions.where(run.predictions["condition"] == "clean")
    assert dict(zip(clean["sample"].tolist(), clean["answer"].tolist(), strict=True))["q3"] == "perhaps green"
    assert (figure(run, "accuracy").value, figure(run, "unparsed").value) == (6 / 8, 2 / 8)
    assert figure(run, "vqa_accuracy").value == 5 / 8  # "It is blue!" is read as blue, but is not the answer
    assert run.headline.metric == "vqa_accuracy" and (run.headline.n, run.headline.unit) == (4, "image")
    assert figure(run, "accuracy", "drop:image").value == 0.5
    assert figure(run, "accuracy", part="split=a").value == 1.0
    assert run.complete and run.manifest.verb == "generate" and run.manifest.choices == ()


def test_what_is_no_text_is_an_error_and_never_a_wrong_answer():
    run = evaluate(Writer(said={"q1": None, "q2": 3, "q3": "bl\ud83due"}), vqa(questions()), speed=False)
    assert [(e["sample"], e["error_kind"]) for e in run.errors()] == [("q1", "not_text"), ("q2", "not_text")]
    assert figure(run, "accuracy").n_missing == 2 and run.status == "incomplete 14/16"
    assert "bl\N{REPLACEMENT CHARACTER}ue" in run.predictions["answer"].tolist()


@pytest.mark.parametrize("came", [None, "red", {"a": 1}, ["red"], 7])
def test_answers_that_cannot_be_told_apart_are_errors(came):
    class Odd(Writer):
        def generate(self, samples, modality="text"):
            return came

    run = evaluate(Odd(), vqa(questions(4)), speed=False, batch=4)
    if came == ["red"]:  # asked one by one it is one answer each
        assert run.complete
    else:
        assert run.missing == 8 and {e["error_kind"] for e in run.errors()} == {"unusable_answer"}
        assert np.isnan(run.headline.value)


def test_a_kept_run_is_read_back_resumed_and_compared(tmp_path):
    said = {"q1": "blue", "q3": "a 'blue',\n\x00 \U0001f535 one", "q5": "蓝色"}
    first = evaluate(Writer(said=said), vqa(questions()), out=tmp_path / "a", speed=False)
    again = load_run(tmp_path / "a")
    assert again.predictions["answer"].tolist() == first.predictions["answer"].tolist()
    assert [e.as_json() for e in again.estimates] == [e.as_json() for e in first.estimates]
    assert again.measurements["predicted"].tolist() == first.measurements["predicted"].tolist()
    model = Writer(said=said)
    evaluate(model, vqa(questions()), out=tmp_path / "a", speed=False)
    assert model.calls == []
    assert said["q3"] in polars.read_parquet(tmp_path / "a" / "predictions.parquet")["answer"].to_list()
    other = evaluate(Writer(said={"q1": "blue"}), vqa(questions()), speed=False)
    found = compare(first, other)
    assert {row.metric for row in found.rows} == {"vqa_accuracy", "accuracy", "unparsed"}


def test_an_interrupted_run_goes_on(tmp_path):
    class Killed(BaseException):
        pass

    def kill():
        raise Killed

    with pytest.raises(Killed):
        evaluate(Writer(said={}, faults={"q5": kill}), vqa(questions()), out=tmp_path, batch=2, speed=False)
    model = Writer(said={})
    run = evaluate(model, vqa(questions()), out=tmp_path, batch=2, speed=False)
    assert model.asked[:2] == ["q4", "q5"] and run.complete
    whole = evaluate(Writer(said={}), vqa(questions()), batch=2, speed=False)
    assert run.as_json() == whole.as_json()


def test_a_model_that_does_not_write_says_what_it_can():
    with pytest.raises(ValueError, match="cannot generate: it can score"):
        evaluate(Scorer(), vqa(questions()))


def pictures():
    samples = [
        Sample(f"s{i}", {"text": f"thing {i}", "image": FakeMedia("image", f"p{i}")}, "kind", (f"thing {i}", "a thing"))
        for i in range(4)
    ]
    samples.append(Sample("heard", {"audio": FakeMedia("audio", "x")}, "kind", ("a noise",)))
    return Dataset("things", samples, "t-1", choices=("kind", "other"))


def test_descriptions_show_the_picture_with_a_request_and_nothing_that_gives_it_away():
    seen = []

    class Watching(Writer):
        def generate(self, samples, modality="text"):
            seen.extend(dict(s.inputs) for s in samples)
            return super().generate(samples)

    run = evaluate(Watching(said={"s1": "a thing", "s2": "thing 2"}), captioning(pictures()), speed=False)
    assert {str(inputs["text"]) for inputs in seen} == {"Describe the picture."}
    assert sum("image" in inputs for inputs in seen) == 4
    assert figure(run, "exact_match").value == 0.5 and run.headline.metric == "cider_d"
    assert [m.name for m in captioning_zh(pictures()).metrics][:2] == ["cider_d:chars", "bleu_4:chars"]
    assert (figure(run, "exact_match", "drop:image").value, len(run.predictions)) == (0.0, 8)
    assert captioning_zh(pictures()).name == "captioning:zh"
    assert naming(pictures()).dataset.samples[0].inputs["text"] == "Name the picture."


def test_a_model_of_pictures_alone_is_not_asked_blindly():
    model = Writer(said={}, modalities=frozenset({"image"}))
    run = evaluate(model, captioning(pictures()), speed=False)
    assert set(run.predictions["condition"].tolist()) == {"clean"}


def test_open_answers_are_compared_with_every_reference():
    samples = [Sample("a", {"text": "where?", "image": FakeMedia("image", "p")}, references=("at home", "Home"))]
    task = vqa(Dataset("open", samples, "o-1"))
    assert [m.name for m in task.metrics] == ["vqa_accuracy", "exact_match"]
    run = evaluate(Writer(said={"a": "Home"}), task, speed=False)
    assert figure(run, "exact_match").value == 1.0


def test_what_cannot_be_asked_is_told():
    mute = Dataset("d", [Sample("a", {"image": FakeMedia("image", "p")}, "x")], "f")
    with pytest.raises(ValueError, match="has none"):
        vqa(mute)
    with pytest.raises(ValueError, match="sample 'a' of 'd' has none"):
        captioning(Dataset("d", [Sample("a", {"image": FakeMedia("image", "p")})], "f"))
    with pytest.raises(ValueError, match="needs pictures"):
        captioning(Dataset("d", [Sample("a", {"text": "x"}, "y")], "f"))
    with pytest.raises(ValueError, match="'nll' measures scores, the task 'vqa' gives texts and labels"):
        vqa(questions(), measures=["nll"])


def test_examples_are_the_answers_worth_least_and_most():
    run = evaluate(Writer(said={"q1": "blue", "q3": "green"}), vqa(questions()), speed=False)
    found = notable(run, 2)
    assert [one.answer == one.target for one in found.best] == [True, True]
    assert [one.answer for one in found.worst] == ["green", "red"] and np.isnan(found.worst[0].confidence)


def test_choices_are_read_from_what_people_and_models_say():
    reader = ChoiceReader(("yes", "no", "2", "new york", "c++"))
    said = {"YES": "yes", "no!": "no", "two": "2", "It's in New York, I think.": "new york", "C++": "c++", "": None}
    said |= {"yes or no": None, "nothing": None, "know": None, "yes, yes": "yes", "a2": None}
    assert {text: reader.read(text) for text in said} == said


def test_conditions_can_be_chosen_like_everywhere():
    from dataclasses import replace

    run = evaluate(Writer(said={}), replace(vqa(questions()), conditions=(CLEAN,)), speed=False)
    assert len(run.predictions) == 8


def test_a_label_beside_a_question_is_no_choice_of_answers():
    samples = [Sample(str(i), {"text": "is it round?"}, target="cat", references=("yes",)) for i in range(3)]
    task = vqa(Dataset("pets", samples, "0", choices=("cat", "dog")))
    assert task.choices == () and [metric.name for metric in task.metrics] == ["vqa_accuracy", "exact_match"]
