"""Classification and zero-shot: what is asked, what is measured, what the figures are."""

import numpy as np
import pytest
from evaluation_fakes import Scorer, content, labelled, noise

from assay import metrics
from assay.data.dataset import Dataset
from assay.evaluation.evaluate import evaluate
from assay.evaluation.tasks import classification, zeroshot
from assay.types import CLEAN, Sample


def test_accuracy_is_that_of_the_most_likely_class_under_every_condition():
    data = labelled(30, 4)
    run = evaluate(Scorer(), classification(data), speed=False)
    for condition, kept in (("clean", ("text", "image")), ("only:text", ("text",)), ("drop:text", ("image",))):
        right = []
        for sample in data.samples:
            inputs = {m: v for m, v in sample.inputs.items() if m in kept}
            if condition == "clean" or all(m in sample.inputs for m in ("text", *kept)):
                answer = data.choices[int(noise(content(Sample("", inputs)), 4).argmax())]
                right.append(answer == sample.target)
        (found,) = [e for e in run.estimates if (e.metric, e.condition, e.slice) == ("accuracy", condition, "all")]
        assert (found.value, found.n) == (pytest.approx(np.mean(right)), len(right))
        assert found.low <= found.value <= found.high


def test_the_headline_comes_first_and_slices_follow():
    run = evaluate(Scorer(), classification(labelled(30, 4)), speed=False)
    assert [(e.metric, e.slice, e.condition) for e in run.estimates[:5]] == [
        ("accuracy", "all", "clean"),
        ("macro_f1", "all", "clean"),
        ("nll", "all", "clean"),
        ("top_3_accuracy", "all", "clean"),
        ("accuracy", "split=hard", "clean"),
    ]
    assert {e.slice for e in run.estimates if e.condition == "clean"} == {
        "all", "split=hard", "split=test", "style=x", "style=y", "style=z",
    }  # fmt: skip
    assert {e.slice for e in run.estimates if e.condition != "clean"} == {"all", "split=hard", "split=test"}
    assert not [e for e in run.estimates if e.metric == "macro_f1" and e.slice.startswith("style=")]


def test_a_slice_equals_the_metric_over_its_rows():
    run = evaluate(Scorer(), classification(labelled(30, 4)), speed=False)
    for estimate in run.estimates:
        rows = run.measurements.where(run.measurements["condition"] == estimate.condition)
        if estimate.slice != "all":
            group, _, value = estimate.slice.partition("=")
            rows = rows.where(rows[f"group.{group}"] == value)
        predicted, true = rows["predicted"].tolist(), rows["true"].tolist()
        if estimate.metric in ("accuracy", "macro_f1"):
            assert estimate.value == metrics.score([estimate.metric], predicted, true)[estimate.metric].value


def test_repeats_are_rows_of_their_own_but_one_unit():
    run = evaluate(Scorer(), classification(labelled(10), conditions=[CLEAN], repeats=3), speed=False)
    assert len(run.predictions) == 30 and sorted(set(run.predictions["repeat"].tolist())) == [0, 1, 2]
    assert run.headline.n == 10


def test_samples_of_a_concept_are_one_unit():
    samples = [Sample(f"s{i}", {"text": f"t{i}"}, "ab"[i % 2], groups={"concept": f"c{i // 5}"}) for i in range(20)]
    run = evaluate(Scorer(), classification(Dataset("d", samples, "f", choices=("a", "b"))), speed=False)
    assert (run.headline.n, run.headline.unit, len(run.measurements)) == (4, "concept", 20)
    alone = evaluate(
        Scorer(), classification(Dataset("d", samples, "f", choices=("a", "b")), unit="sample"), speed=False
    )
    assert (alone.headline.n, alone.headline.value) == (20, run.headline.value)


def test_classes_and_targets_are_checked_before_anything_is_asked():
    with pytest.raises(ValueError, match="has no classes"):
        classification(Dataset("d", [], "f"))
    with pytest.raises(ValueError, match="sample 'a' has the target 'fruti', which is no class: did you mean fruit"):
        classification(Dataset("d", [Sample("a", {"text": "x"}, "fruti")], "f", choices=("fruit", "food")))
    with pytest.raises(ValueError, match="unknown metric 'acuracy': did you mean accuracy"):
        classification(labelled(), measures=["acuracy"])
    with pytest.raises(
        ValueError, match=r"'hit@1' measures ranking, the task 'classification' gives labels and scores"
    ):
        classification(labelled(), measures=["hit@1"])


def test_the_view_of_the_task_is_what_is_shown():
    data = labelled(6)
    shouting = Dataset(
        "d", data.samples, "f", data.choices, views={"classification": lambda s: s.with_inputs({"text": s.id.upper()})}
    )
    seen = []

    class Watching(Scorer):
        def score(self, samples, choices):
            seen.extend(s.inputs["text"] for s in samples)
            return super().score(samples, choices)

    evaluate(Watching(), classification(shouting), speed=False)
    assert set(seen) == {s.id.upper() for s in data.samples}


class Reader(Scorer):
    """Answers by the choices' words, so that prompts matter."""

    def score(self, samples, choices):
        self.record(samples)
        self.choices = tuple(choices)
        rows = np.array([[noise(content(s) + c, 1)[0] for c in choices] for s in samples])
        return rows - np.log(np.exp(rows).sum(axis=1, keepdims=True))


def test_zeroshot_asks_every_class_in_every_prompt_and_takes_the_mean_probability():
    model, data, prompts = Reader(), labelled(12), ("a picture of {}", "{}, drawn")
    run = evaluate(model, zeroshot(data, prompts=prompts), speed=False)
    assert model.choices == tuple(p.replace("{}", c) for p in prompts for c in data.choices)
    assert run.manifest.task == "zeroshot"
    clean = run.predictions.where(run.predictions["condition"] == "clean")
    by_prompt = np.exp(clean["answer"].astype(float)).reshape(12, 2, 3)
    mean = (by_prompt / by_prompt.sum(axis=2, keepdims=True)).mean(axis=1)
    rows = run.measurements.where(run.measurements["condition"] == "clean")
    assert rows["predicted"].tolist() == [data.choices[i] for i in mean.argmax(axis=1)]
    np.testing.assert_allclose(np.exp(rows["logprob"]), mean.max(axis=1), rtol=1e-5)


def test_a_model_with_these_classes_is_asked_for_them_whatever_the_prompts():
    class Trained(Reader):
        classes = ("c", "b", "a", "x")

    model, data = Trained(), labelled(12)
    run = evaluate(model, zeroshot(data, prompts=["a picture of {}"]), speed=False)
    assert model.choices == data.choices
    plain = evaluate(Trained(), classification(data), speed=False)
    assert [e.value for e in run.estimates] == [e.value for e in plain.estimates]


def test_a_model_with_other_classes_is_refused_before_it_is_asked():
    class Trained(Reader):
        classes = ("a", "b", "see")

    with pytest.raises(ValueError, match=r"trained on other classes than those of 'toy': it does not know 'c'"):
        evaluate(Trained(), classification(labelled(12)))


@pytest.mark.parametrize("prompts", [["no place"], ["{} and {}"], []])
def test_prompts_that_cannot_hold_a_class_are_refused(prompts):
    with pytest.raises(ValueError, match="prompt"):
        zeroshot(labelled(), prompts=prompts)
