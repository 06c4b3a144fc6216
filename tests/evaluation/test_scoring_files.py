"""Files of answers scored as runs: the same figures as from Python, kept, compared, explained."""

import json
import math

import numpy as np
import pytest

import assay
from assay import metrics, verbs
from assay.evaluation.run import load_run

CAPTIONS = ["a man rides a horse", "two dogs run", "a plate of food", "a red bus", "a cat on a mat"]
REFERENCES = [
    ["a man is riding a horse", "a person on a horse"],
    ["two dogs are running in a park", "dogs run"],
    ["a plate with food on it", "food on a table"],
    ["a red double decker bus", "a bus on a street"],
    ["a cat sits on a mat", "the cat is on the mat"],
]


@pytest.fixture
def write(tmp_path):
    def written(name, rows):
        path = tmp_path / name
        path.write_text("\n".join(map(json.dumps, rows)))
        return path

    return written


def captions(answers=CAPTIONS):
    return [
        {"id": i, "prediction": p, "references": r} for i, (p, r) in enumerate(zip(answers, REFERENCES, strict=True))
    ]


def labels(n=200, right=0.7, seed=0):
    rng = np.random.default_rng(seed)
    truth = np.random.default_rng(9).choice(["cat", "dog", "eel"], n).tolist()
    other = rng.choice(["cat", "dog", "fox"], n).tolist()
    said = [t if hit else o for t, o, hit in zip(truth, other, rng.random(n) < right, strict=True)]
    return said, truth


def rows_of(said, truth):
    return [{"id": f"q{i}", "prediction": s, "label": t} for i, (s, t) in enumerate(zip(said, truth, strict=True))]


def test_figures_are_those_of_metrics_score(write):
    names = ["bleu_4", "rouge_l", "cider_d"]
    found = verbs.score(write("c.jsonl", captions()), metrics=names)
    expected = metrics.score(names, CAPTIONS, REFERENCES)
    for one in found.estimates:
        same = expected[one.metric]
        assert (one.value, one.low, one.high, one.signature) == (same.value, same.low, same.high, same.signature)
    assert found.run.complete


def test_labels_too_and_answers_that_are_no_true_label(write):
    said, truth = labels()
    names = ["accuracy", "macro_f1", "balanced_accuracy", "mcc"]
    found = {one.metric: one for one in verbs.score(write("l.jsonl", rows_of(said, truth)), metrics=names).estimates}
    for name, one in metrics.score(names, said, truth).items():
        assert found[name].value == pytest.approx(one.value, abs=1e-12), name


def test_other_families(write):
    rng = np.random.default_rng(0)
    p, true = rng.dirichlet(np.ones(3), 40), rng.integers(0, 3, 40)
    rows = [{"id": i, "prediction": q.tolist(), "label": int(t)} for i, (q, t) in enumerate(zip(p, true, strict=True))]
    rows.append({"id": "lost", "error": "out of memory", "label": 0})
    found = {one.metric: one for one in verbs.score(write("p.jsonl", rows), metrics=["auroc", "ece", "nll"]).estimates}
    for name in ("auroc", "ece", "nll"):
        assert found[name].value == pytest.approx(metrics.score([name], p, true)[name].value, abs=1e-12), name
        assert (found[name].n, found[name].n_missing) == (40, 1)
    sets = [{"id": 1, "prediction": ["a"], "references": ["a", "b"]}, {"id": 2, "prediction": [], "references": ["b"]}]
    assert verbs.score(write("s.jsonl", sets), metrics=["samples_f1"]).estimates[0].value == pytest.approx(1 / 3)
    choice = [{"id": 1, "prediction": "B", "answer": "B"}, {"id": 2, "prediction": "The answer is A", "answer": "B"}]
    found = verbs.score(write("m.jsonl", choice), metrics=["multiple_choice"]).estimates
    assert [(one.metric, one.value) for one in found] == [("multiple_choice", 0.5), ("choice_unparsed", 0.0)]
    asked = [{"id": 1, "prediction": "Yes.", "answer": "yes"}, {"id": 2, "prediction": "maybe", "answer": "no"}]
    found = verbs.score(write("y.jsonl", asked), metrics=["pope_accuracy"]).estimates
    assert [(one.metric, one.value) for one in found] == [("pope_accuracy", 0.5), ("yes_no_unparsed", 0.5)]
    numbers = [{"id": i, "prediction": i + 1, "reference": i} for i in range(5)]
    assert verbs.score(write("n.jsonl", numbers), metrics=["mae"]).estimates[0].value == pytest.approx(1.0)


def test_a_missing_answer_is_counted_and_never_wrong(write):
    said, truth = labels(60)
    rows = rows_of(said, truth)
    whole = verbs.score(write("a.jsonl", rows[10:]), metrics=["accuracy"]).estimates[0]
    for row in rows[:10]:
        row["prediction"] = None
    scored = verbs.score(write("b.jsonl", rows), metrics=["accuracy"])
    one = scored.estimates[0]
    assert (one.value, one.n, one.n_missing) == (whole.value, 50, 10)
    assert scored.run.status == "incomplete 50/60"
    assert scored.run.errors()[0] == {
        "sample": "q0",
        "condition": "clean",
        "error_kind": "unanswered",
        "error": "the prediction is null",
    }
    assert scored.facts("accuracy")[0].startswith("10 of 60 rows have no prediction")


def test_idf_is_that_of_all_references_whatever_is_missing(write):
    lost = verbs.score(write("l.jsonl", captions([*CAPTIONS[:4], None])), metrics=["cider_d"]).run
    whole = verbs.score(write("w.jsonl", captions()), metrics=["cider_d"]).run
    kept = [run.measurements["measure.cider_d"][:4].tolist() for run in (lost, whole)]
    assert kept[0] == kept[1]


def test_a_kept_run_is_read_compared_and_not_scored_again(write, tmp_path):
    said, truth = labels()
    worse, _ = labels(right=0.2, seed=1)
    a, b = write("a.jsonl", rows_of(said, truth)), write("b.jsonl", rows_of(worse, truth))
    scored = verbs.score(a, metrics=["accuracy", "macro_f1"], out=tmp_path / "run", baseline=b)
    comparison = scored.comparison
    assert (comparison.a, comparison.b, comparison.rows[0].verdict) == ("a", "b", "better")
    kept = load_run(tmp_path / "run")
    assert [one.value for one in kept.estimates] == [one.value for one in scored.estimates]
    before = (tmp_path / "run" / "run.sqlite").stat().st_mtime_ns
    assert verbs.score(a, metrics=["accuracy", "macro_f1"], out=tmp_path / "run").run.estimates == kept.estimates
    assert (tmp_path / "run" / "run.sqlite").stat().st_mtime_ns == before
    other = verbs.score(b, metrics=["accuracy"], out=tmp_path / "other", baseline=tmp_path / "run")
    assert other.comparison.rows[0].verdict == "worse"
    assert (
        assay.compare(tmp_path / "run", tmp_path / "other").rows[0].difference == -other.comparison.rows[0].difference
    )
    with pytest.raises(ValueError, match="another configuration"):
        verbs.score(b, metrics=["accuracy"], out=tmp_path / "run")


def test_files_of_one_name_are_told_apart(write, tmp_path):
    said, truth = labels(40)
    (tmp_path / "x").mkdir()
    here, there = write("p.jsonl", rows_of(said, truth)), write("x/p.jsonl", rows_of(said, truth))
    comparison = verbs.score(here, metrics=["accuracy"], baseline=there).comparison
    assert (comparison.a, comparison.b) == ("p", str(there))


def test_other_references_are_refused(write):
    said, truth = labels(40)
    other = ["dog" if label == "cat" else label for label in truth]
    with pytest.raises(ValueError, match="different targets"):
        verbs.score(
            write("a.jsonl", rows_of(said, truth)),
            metrics=["accuracy"],
            baseline=write("b.jsonl", rows_of(said, other)),
        )


def test_detections_are_kept_and_compared(tmp_path):
    rng = np.random.default_rng(0)
    images, true, found = [{"id": i} for i in range(12)], [], []
    for i in range(12):
        box = [*(rng.random(2) * 50).tolist(), 30.0, 30.0]
        true.append({"id": i, "image_id": i, "category_id": 1, "bbox": box, "area": 900.0, "iscrowd": 0})
        found.append({"image_id": i, "category_id": 1, "bbox": [box[0] + 4, *box[1:]], "score": float(rng.random())})
    (tmp_path / "ann.json").write_text(
        json.dumps({"images": images, "annotations": true, "categories": [{"id": 1, "name": "cat"}]})
    )
    (tmp_path / "a.json").write_text(json.dumps(found))
    (tmp_path / "b.json").write_text(json.dumps(found[:6]))
    files = {name: (tmp_path / f"{name}.json", tmp_path / "ann.json") for name in "ab"}
    scored = verbs.score(*files["a"], metrics=["coco_map_50"], out=tmp_path / "run", baseline=files["b"][0])
    assert scored.estimates[0].value == pytest.approx(1.0)
    assert scored.comparison.rows[0].b < 1
    verbs.score(*files["b"], metrics=["coco_map_50"], out=tmp_path / "other")
    again = assay.compare(tmp_path / "run", tmp_path / "other").rows[0]
    assert again.difference == scored.comparison.rows[0].difference


def test_by_fields_and_units(write):
    rows = [{**row, "image": f"i{at // 2}", "kind": "xy"[at % 2]} for at, row in enumerate(rows_of(*labels(80)))]
    found = verbs.score(write("r.jsonl", rows), metrics=["accuracy"], by=["kind"]).estimates
    assert {one.slice for one in found} == {"all", "kind=x", "kind=y"}
    assert (found[0].unit, found[0].n) == ("image", 40)
    assert verbs.score(write("r.jsonl", rows), metrics=["accuracy"], unit="sample").estimates[0].n == 80
    with pytest.raises(ValueError, match=r"no row has a field 'imge' to resample by: did you mean image\?"):
        verbs.score(write("r.jsonl", rows), metrics=["accuracy"], unit="imge")


@pytest.mark.parametrize(
    ("name", "rows", "message"),
    [
        ("mrr", captions(), "mrr measures ranking, .* assay.metrics.retrieval"),
        ("acuracy", captions(), "did you mean accuracy"),
        ("auroc", captions(), r"auroc: id '0': numbers, a list or an object were expected, not the text 'a man"),
        ("mae", captions(), r"mae: id '0': a number was expected"),
        ("pope_f1", captions(), r"pope_f1.*: one right answer a row"),
    ],
)
def test_metrics_that_the_file_does_not_hold(write, name, rows, message):
    with pytest.raises(ValueError, match=message):
        verbs.score(write("r.jsonl", rows), metrics=[name])


def told(scored, name):
    return " ".join(scored.facts(name))


def test_facts_about_captions(write):
    one = verbs.score(write("one.jsonl", captions()[:1]), metrics=["cider_d", "bleu_4"])
    assert one.estimates[0].value == 0
    assert "the corpus has one image, so every idf is 0" in told(one, "cider_d")
    assert "cider_d" in one.unasked()
    same = verbs.score(write("s.jsonl", [{**row, "references": ["a b"]} for row in captions()]), metrics=["cider_d"])
    assert "every image has the same reference words" in told(same, "cider_d")
    short = verbs.score(write("b.jsonl", captions(["a"] * 5)), metrics=["bleu_4"])
    facts = told(short, "bleu_4")
    assert "5 of 5 predictions have fewer than 4 words" in facts
    assert "no prediction shares a 4-gram" in facts
    assert "every prediction is the same" in facts


def test_facts_about_labels_answers_and_classes(write):
    rows = [{"id": i, "prediction": "Cat.", "label": "cat"} for i in range(4)]
    scored = verbs.score(write("l.jsonl", rows), metrics=["accuracy", "exact_match", "vqa_accuracy"])
    assert "'Cat.' differs from 'cat' by its form alone" in told(scored, "accuracy")
    assert "4 more would match but for case" in told(scored, "exact_match")
    assert "one reference a question" in told(scored, "vqa_accuracy")
    one = verbs.score(write("o.jsonl", [{"id": i, "prediction": 0.5, "label": 1} for i in range(4)]), metrics=["auroc"])
    assert math.isnan(one.estimates[0].value)
    assert "all rows are of one class" in told(one, "auroc")
    none = verbs.score(write("n.jsonl", [{"id": 1, "prediction": None, "label": "x"}]), metrics=["accuracy"])
    assert math.isnan(none.estimates[0].value)
    assert told(none, "accuracy") == "none of the 1 rows has a prediction"
