"""Two runs: paired by key, clustered by unit, corrected over all that is compared, with a verdict in words."""

import json
from dataclasses import replace

import numpy as np
import pytest
from evaluation_fakes import Embedder, Scorer, concepts, labelled

from assay import stats
from assay.evaluation.compare import compare
from assay.evaluation.evaluate import evaluate
from assay.evaluation.examples import notable
from assay.evaluation.tasks import classification, retrieval
from assay.types import CLEAN

DATA = labelled(60, 3)


class Knowing(Scorer):
    """Is right for all samples but every ``every``-th."""

    def __init__(self, every, **options):
        super().__init__(name=f"right-but-1-in-{every}", **options)
        self.every = every

    def score(self, samples, choices):
        self.record(samples)
        rows = np.full((len(samples), len(choices)), np.log(0.1))
        for row, sample in zip(rows, samples, strict=True):
            number = int(sample.id[1:])
            row[(number + (number % self.every == 0)) % 3] = np.log(0.8) - number / 1e4
        return rows


def run_of(model, data=DATA, **options):
    return evaluate(
        model, classification(data, conditions=[CLEAN], measures=["accuracy", "macro_f1"], **options), speed=False
    )


def test_the_better_model_is_said_to_be_better():
    found = compare(run_of(Knowing(30)), run_of(Knowing(2)))
    head = found.rows[0]
    assert (head.metric, head.slice, head.verdict, head.n) == ("accuracy", "all", "better", 60)
    assert head.difference == pytest.approx(head.a - head.b) and head.low <= head.difference <= head.high
    assert found.verdict.startswith("right-but-1-in-30 is better than right-but-1-in-2: accuracy 0.967 against 0.500")
    turned = compare(run_of(Knowing(2)), run_of(Knowing(30)))
    assert turned.rows[0].verdict == "worse" and turned.rows[0].p == head.p
    assert [r.slice for r in found.rows] == ["all", "all", "split=hard", "split=hard", "split=test", "split=test"]


def test_p_values_are_corrected_over_all_rows():
    found = compare(run_of(Knowing(30)), run_of(Knowing(4)))
    expected = stats.holm([row.p for row in found.rows])
    assert [row.p_holm for row in found.rows] == pytest.approx(expected.tolist())
    assert all(row.p_holm >= row.p for row in found.rows)


def test_a_run_against_itself_is_inconclusive_or_equivalent():
    run = run_of(Knowing(5))
    assert {row.verdict for row in compare(run, run).rows} == {"inconclusive"}
    alike = compare(run, run, margin=0.05)
    assert alike.rows[0].verdict == "equivalent" and "equivalent within 0.05" in alike.verdict
    assert json.loads(json.dumps(alike.as_json()))["rows"][0]["verdict"] == "equivalent"


def test_what_cannot_be_decided_says_what_would_decide():
    found = compare(run_of(Knowing(6)), run_of(Knowing(5)))
    assert found.rows[0].verdict == "inconclusive" and found.rows[0].n_needed > 60
    assert f"needs about n = {found.rows[0].n_needed:,}" in found.verdict


def test_only_shared_rows_count_and_answers_that_one_run_lacks_are_missing():
    def broken():
        raise ValueError

    a, b = run_of(Knowing(30, faults={"s01": broken, "s02": broken})), run_of(Knowing(2, faults={"s02": broken}))
    head = compare(a, b).rows[0]
    assert (head.n, head.n_missing) == (58, 2)
    part = run_of(Knowing(2), DATA.first(40))
    found = compare(run_of(Knowing(30)), part)
    assert found.rows[0].n == 40 and "40 rows that both have, of 60 and 40" in found.notes[0]


def test_runs_of_different_things_are_refused_with_the_difference():
    other = replace(DATA, name="elsewhere", fingerprint="other-1")
    with pytest.raises(ValueError, match="asked different things") as refused:
        compare(run_of(Knowing(3)), run_of(Knowing(3), other))
    assert "data: toy in A, elsewhere in B" in str(refused.value)
    with pytest.raises(ValueError, match="verb: score in A, embed in B"):
        compare(run_of(Knowing(3)), evaluate(Embedder(), retrieval(concepts()), speed=False))
    renamed = replace(DATA, samples=[replace(s, id=f"x{s.id[1:]}") for s in DATA.samples])
    with pytest.raises(ValueError, match="no sample in common"):
        compare(run_of(Knowing(3)), run_of(Knowing(3), renamed))
    relabelled = replace(DATA, samples=[replace(s, target="a") for s in DATA.samples])
    with pytest.raises(ValueError, match="different targets for 40 samples, first 's01'"):
        compare(run_of(Knowing(3)), run_of(Knowing(3), relabelled))


def test_unknown_slices_conditions_and_metrics_are_refused():
    a = run_of(Knowing(3))
    with pytest.raises(ValueError, match="unknown slice 'split=train' under clean; there is all, split=hard"):
        compare(a, a, slices=["split=train"])
    with pytest.raises(ValueError, match="condition 'drop:text'; they share clean"):
        compare(a, a, conditions=["drop:text"])
    with pytest.raises(ValueError, match="has not measured 'nll'"):
        compare(a, a, metrics=["nll"])


def test_retrieval_is_paired_by_query_and_direction_and_clustered_by_concept():
    data = concepts(12, ("x", "y"))
    whole = evaluate(Embedder(modalities=frozenset({"text", "image", "audio"})), retrieval(data), speed=False)
    two = evaluate(Embedder(name="two", modalities=frozenset({"text", "image"})), retrieval(data), speed=False)
    found = compare(whole, two, slices=["all", "direction=text->image"])
    assert found.rows[0].n == 12 and found.rows[0].unit == "concept" and found.rows[0].difference == 0
    assert "48 rows that both have" in found.notes[0]
    assert {row.metric for row in found.rows} == set(whole.manifest.metrics)


def test_the_most_telling_samples_come_first():
    run = run_of(Knowing(10))
    found = notable(run, 3)
    assert [e.sample for e in found.worst] == ["s00", "s10", "s20"]  # wrong, surest first
    assert [e.sample for e in found.best] == ["s01", "s02", "s03"]
    assert found.worst[0].answer == "b" and found.worst[0].target == "a" and not found.worst[0].right
    assert found.worst[0].confidence == pytest.approx(0.8)
    assert len(notable(run, 100).worst) == 6


def test_the_most_telling_queries_come_first_one_of_each_concept():
    data = concepts(10, ("x", "y", "z"))
    run = evaluate(Embedder(modalities=frozenset({"text", "image"})), retrieval(data), speed=False)
    found = notable(run, 4, direction="image->text")
    rows = run.measurements.where(run.measurements["direction"] == "image->text")
    assert found.worst[0].rank == rows["best"].max() > 1
    assert all(e.direction == "image->text" and e.answer != e.target for e in found.worst)
    assert all(e.right and e.rank == 1 and e.answer.split("/")[0] == e.sample.split("/")[0] for e in found.best)
    for chosen in (found.worst, found.best):
        assert len({e.sample.split("/")[0] for e in chosen}) == len(chosen)
