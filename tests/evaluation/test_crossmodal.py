"""Retrieval: directions, galleries, positives, and figures equal to plain sorting."""

from dataclasses import replace

import numpy as np
import pytest
from evaluation_fakes import Embedder, FakeMedia, concepts

from assay.data.dataset import Dataset
from assay.evaluation.evaluate import evaluate
from assay.evaluation.tasks import retrieval
from assay.types import Sample

THREE = frozenset({"text", "image", "audio"})
TWO = frozenset({"text", "image"})


def plain_ranks(data, run, a, b):
    """For every query the ranks of its positives, by sorting all candidates of its split."""
    vectors = {
        (s, c): v
        for s, c, v in zip(
            run.predictions["sample"], run.predictions["condition"], run.predictions["answer"], strict=True
        )
    }
    found = {}
    for query in data.samples:
        if a not in query.inputs:
            continue
        candidates, scores = {}, {}
        for sample in data.samples:
            if b in sample.inputs and sample.groups["split"] == query.groups["split"]:
                value = sample.inputs[b]
                name = value if isinstance(value, str) else value.source
                candidates.setdefault(name, set()).add(sample.groups["concept"])
                scores.setdefault(name, float(vectors[query.id, f"only:{a}"] @ vectors[sample.id, f"only:{b}"]))
        order = sorted(scores, key=lambda name: -scores[name])
        ranks = [i + 1 for i, name in enumerate(order) if query.groups["concept"] in candidates[name]]
        if ranks:
            found[query.id] = (ranks, len(order), order[0])
    return found


def test_every_direction_equals_plain_sorting():
    data = concepts(7, ("x", "y", "z"))
    run = evaluate(
        Embedder(modalities=THREE), retrieval(data, measures=["hit@1", "recall@2", "mrr", "map"]), speed=False
    )
    rows = run.measurements
    directions = sorted(set(rows["direction"].tolist()))
    assert directions == ["audio->image", "audio->text", "image->audio", "image->text", "text->audio", "text->image"]
    for direction in directions:
        here = rows.where(rows["direction"] == direction)
        expected = plain_ranks(data, run, *direction.split("->"))
        assert here["sample"].tolist() == list(expected)
        for place, (ranks, count, _) in enumerate(expected.values()):
            assert here["best"][place] == ranks[0] and here["candidates"][place] == count
            assert here["measure.hit@1"][place] == (ranks[0] == 1)
            assert here["measure.recall@2"][place] == pytest.approx(sum(r <= 2 for r in ranks) / len(ranks))
            assert here["measure.mrr"][place] == pytest.approx(1 / ranks[0])
            precisions = [(i + 1) / r for i, r in enumerate(ranks)]
            assert here["measure.map"][place] == pytest.approx(np.mean(precisions))


def test_names_that_pictures_share_are_one_candidate_and_pictures_are_each_one():
    data = concepts(5, ("x", "y"))
    run = evaluate(Embedder(modalities=TWO), retrieval(data, measures=["hit@1"]), speed=False)
    rows = run.measurements
    assert set(rows["candidates"][rows["direction"] == "image->text"].tolist()) == {5}
    assert set(rows["candidates"][rows["direction"] == "text->image"].tolist()) == {10}
    assert run.headline.signature.startswith("hit@1|") and "gallery:5-10" in run.headline.signature
    (one,) = [e for e in run.estimates if e.slice == "direction=image->text"]
    assert "gallery:5|" in one.signature
    assert run.headline.n == 5 and len(rows) == 20


def test_what_came_first_is_named():
    data = concepts(7, ("x",))
    run = evaluate(Embedder(modalities=TWO), retrieval(data, measures=["hit@1"]), speed=False)
    rows = run.measurements
    names = {s.inputs["image"].source: s.id for s in data.samples}
    for sample, top in zip(*(rows[c][rows["direction"] == "text->image"] for c in ("sample", "top")), strict=True):
        assert names[plain_ranks(data, run, "text", "image")[sample][2]] == top
    right = rows["best"] == 1
    assert 0 < right.sum() < len(rows)
    assert (rows["top"][right] == rows["sample"][right]).all()


def test_splits_together_give_what_each_gives_alone():
    one, two = concepts(6, split="test"), concepts(5, split="hard")
    both = replace(one, name="both", samples=[*one.samples, *two.samples])
    together = evaluate(Embedder(modalities=THREE), retrieval(both), speed=False)
    named = {(e.metric, e.slice): e.value for e in together.estimates}
    for data, split in ((one, "test"), (two, "hard")):
        alone = evaluate(Embedder(modalities=THREE), retrieval(data), speed=False)
        for estimate in alone.estimates:
            if estimate.slice == "all":
                assert named[estimate.metric, f"split={split}"] == estimate.value
            if estimate.slice.startswith("direction="):
                crossed = f"split={split} & {estimate.slice}"
                assert named[estimate.metric, crossed] == pytest.approx(estimate.value, nan_ok=True)


def test_languages_are_kept_apart():
    samples = [
        Sample(
            f"{c}-{lang}",
            {"text": f"{c} in {lang}", "image": FakeMedia("image", c)},
            groups={"concept": c, "language": lang},
        )
        for c in ("p", "q", "r")
        for lang in ("en", "fr")
    ]
    run = evaluate(Embedder(), retrieval(Dataset("d", samples, "f", slices=("language",))), speed=False)
    assert set(run.measurements["candidates"].tolist()) == {3}
    assert "language=fr & direction=text->image" in {e.slice for e in run.estimates}


def test_without_concepts_a_sample_is_its_own_positive():
    samples = [Sample(f"s{i}", {"text": f"t{i}", "image": FakeMedia("image", f"t{i}/p")}) for i in range(6)]
    run = evaluate(Embedder(), retrieval(Dataset("d", samples, "f")), speed=False)
    assert (run.headline.n, run.headline.unit) == (6, "sample")
    assert run.headline.value > 1 / 6


def test_a_query_with_nothing_to_find_is_not_planned():
    data = concepts(4, ("x",))  # the odd ones have no sound
    run = evaluate(Embedder(modalities=THREE), retrieval(data), speed=False)
    rows = run.measurements
    assert rows["sample"][rows["direction"] == "text->audio"].tolist() == ["test0/x", "test2/x"]
    assert run.complete and run.headline.n_missing == 0


def broken():
    raise OSError("broken picture")


def test_a_failed_query_is_missing_and_a_failed_candidate_helps_nobody_by_more_than_one_place():
    data = concepts(8, ("x", "y"))
    task = retrieval(data, measures=["hit@1", "mrr"])
    sound = evaluate(Embedder(modalities=TWO), task, speed=False)

    class Blind(Embedder):
        def embed(self, samples, modality=None):
            if modality == "image" and any(s.id.startswith("test3/") for s in samples):
                broken()
            return super().embed(samples, modality)

    run = evaluate(Blind(modalities=TWO), task, speed=False)
    assert [e["sample"] for e in run.errors()] == ["test3/x", "test3/y"] and not run.complete
    rows, before = run.measurements, sound.measurements
    lost = {(s, d) for s, d, m in zip(rows["sample"], rows["direction"], rows["missing"], strict=True) if m}
    assert lost == {(f"test3/{s}", d) for s in "xy" for d in ("image->text", "text->image")}
    kept = ~rows["missing"]
    texts = rows["direction"] == "image->text"  # their gallery lost nothing
    np.testing.assert_array_equal(rows["best"][kept & texts], before["best"][kept & texts])
    gained = before["best"][kept] - rows["best"][kept]
    assert (gained >= 0).all() and (gained <= 2).all()
    assert (run.headline.n, run.headline.n_missing) == (7, 1)
    (text,) = [e for e in run.estimates if e.slice == "direction=text->image" and e.metric == "hit@1"]
    assert text.n_missing == 1


def test_models_and_data_must_share_two_modalities():
    with pytest.raises(ValueError, match="needs two modalities, the data set 'd' has text"):
        retrieval(Dataset("d", [Sample("a", {"text": "x"})], "f"))
    with pytest.raises(ValueError, match="the model takes text"):
        evaluate(Embedder(modalities=frozenset({"text"})), retrieval(concepts()))
    with pytest.raises(ValueError, match="'accuracy' measures labels"):
        retrieval(concepts(), measures=["accuracy"])
