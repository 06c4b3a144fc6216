"""Parts of a whole: limits, samples by chance, repeats, shards that are merged, runs that fork, runs that are measured again."""

import json

import numpy as np
import pytest
from evaluation_fakes import Embedder, Scorer, concepts, labelled

from assay.evaluation import exports
from assay.evaluation.evaluate import Session, evaluate
from assay.evaluation.how import How, Shard
from assay.evaluation.merge import merge, rescore
from assay.evaluation.run import load_run
from assay.evaluation.store import opened
from assay.evaluation.tasks import classification, retrieval


def classify(model, folder, *, count=24, repeats=1, seed=0, **how):
    task = classification(labelled(count), measures=["accuracy", "nll"], repeats=repeats)
    session = Session(How(batch=5, **how))
    return evaluate(model, task, out=folder, seed=seed, speed=False, session=session)


def test_samples_by_chance_are_nested_stable_and_in_order():
    data = labelled(40)
    few, more = data.chosen(7, 3), data.chosen(20, 3)
    ids = [s.id for s in more.samples]
    assert len(few) == 7 and {s.id for s in few.samples} < set(ids) and ids == sorted(ids)
    assert [s.id for s in data.chosen(7, 4).samples] != [s.id for s in few.samples]
    turned = type(data)("toy", data.samples[::-1], "toy-1", choices=data.choices)
    assert {s.id for s in turned.chosen(7, 3).samples} == {s.id for s in few.samples}
    assert few.name == "toy[~7@3]" and few.fingerprint != more.fingerprint
    assert len(data.chosen(1000)) == 40


def test_repeats_are_rows_of_one_unit():
    once, thrice = classify(Scorer(), None), classify(Scorer(), None, repeats=3)
    assert thrice.planned == 3 * once.planned
    assert len(set(thrice.predictions.keys())) == thrice.planned
    assert sorted(set(thrice.predictions["repeat"].tolist())) == [0, 1, 2]
    # A model that says the same each time has learnt nothing by being asked thrice: the same n and value, no narrower interval.
    for a, b in zip(once.estimates, thrice.estimates, strict=True):
        assert (a.metric, a.slice, a.n) == (b.metric, b.slice, b.n)
        assert b.value == pytest.approx(a.value) and b.high - b.low > 0.98 * (a.high - a.low)


@pytest.mark.parametrize("of", [2, 3])
def test_merged_shards_are_the_whole_to_the_byte(tmp_path, of):
    classify(Scorer(), tmp_path / "whole")
    folders = [tmp_path / f"part{i}" for i in range(of)]
    models = [Scorer() for _ in folders]
    for place, (model, folder) in enumerate(zip(models, folders, strict=True)):
        run = classify(model, folder, shard=Shard(place + 1, of))
        assert run.complete and run.estimates == () and run.as_json()["shard"] == f"{place + 1}/{of}"
    asked = [name for model in models for name in model.asked]
    assert len(asked) == load_run(tmp_path / "whole").planned
    task = classification(labelled(24), measures=["accuracy", "nll"])
    merge(folders[::-1], tmp_path / "merged", task)
    for name in (exports.ESTIMATES, exports.PREDICTIONS, exports.MEASUREMENTS):
        assert (tmp_path / "merged" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    before = (tmp_path / "merged" / exports.ESTIMATES).stat().st_mtime_ns
    merge(folders, tmp_path / "merged", task)
    assert (tmp_path / "merged" / exports.ESTIMATES).stat().st_mtime_ns == before


def test_a_shard_for_which_no_batch_is_left_is_complete_and_merges(tmp_path):
    classify(Scorer(), tmp_path / "whole", count=4)
    with opened(tmp_path / "whole" / "run.sqlite") as store:
        of = len(list(store.batches())) + 2
    for number in range(1, of + 1):
        run = classify(Scorer(), tmp_path / f"{number}", count=4, shard=Shard(number, of))
        assert run.complete and run.planned == len(run.predictions)
    assert run.planned == 0 and classify(Scorer(), tmp_path / f"{of}", count=4, shard=Shard(of, of)).complete
    folders = [tmp_path / f"{number}" for number in range(of, 0, -1)]
    task = classification(labelled(4), measures=["accuracy", "nll"])
    assert merge(folders, tmp_path / "merged", task).complete
    for name in (exports.ESTIMATES, exports.PREDICTIONS, exports.MEASUREMENTS):
        assert (tmp_path / "merged" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    with pytest.raises(ValueError, match="shards are missing"):
        merge(folders[1:], tmp_path / "merged2", task)


def test_shards_of_embeddings_are_merged_before_anything_is_ranked(tmp_path):
    task = retrieval(concepts(6), measures=["hit@1"])
    how = [How(batch=4, shard=Shard(i, 2)) for i in (1, 2)]
    evaluate(Embedder(), task, out=tmp_path / "whole", batch=4, speed=False)
    for place, one in enumerate(how):
        evaluate(Embedder(), task, out=tmp_path / str(place), speed=False, session=Session(one))
    merged = merge([tmp_path / "0", tmp_path / "1"], tmp_path / "merged", task)
    assert merged.as_json() == load_run(tmp_path / "whole").as_json()


def test_what_shards_have_cost_is_added_up(tmp_path):
    for i in (1, 2):
        classify(Scorer(), tmp_path / f"{i}", shard=Shard(i, 2))
        with opened(tmp_path / f"{i}" / "run.sqlite") as store:
            store.note("spent", {"requests": 10 * i, "cost": 0.5} if i == 1 else {"requests": 10 * i})
    run = merge(
        [tmp_path / "1", tmp_path / "2"], tmp_path / "merged", classification(labelled(24), measures=["accuracy"])
    )
    assert run.timings["spent"] == {"requests": 30, "cost": 0.5}


def test_shards_that_do_not_make_a_whole_are_refused(tmp_path):
    for i in (1, 2):
        classify(Scorer(), tmp_path / f"{i}", shard=Shard(i, 3))
    classify(Scorer(), tmp_path / "other", shard=Shard(3, 3), seed=7)
    classify(Scorer(), tmp_path / "halves", shard=Shard(1, 2))
    classify(Scorer(), tmp_path / "again", shard=Shard(2, 3))
    classify(Scorer(), tmp_path / "plain")
    task = classification(labelled(24), measures=["accuracy", "nll"])

    def refused(*names, saying):
        with pytest.raises(ValueError, match=saying):
            merge([tmp_path / name for name in names], tmp_path / "merged", task)
        assert not (tmp_path / "merged").exists()

    refused("1", "2", saying="missing: 3/3")
    refused("1", "2", "other", saying="seed: 0 .*7 in .*other")
    refused("1", "halves", saying="cut differently: 1/3, 1/2")
    refused("1", "2", "again", saying="2/3 is given twice: .*2 and .*again")
    refused("1", "plain", saying="plain is no shard")
    refused(saying="nothing to merge")
    with pytest.raises(ValueError, match="shard 1/3 and has no figures"):
        load_run(tmp_path / "1")
    with pytest.raises(ValueError, match="shard 1/3"):
        rescore(tmp_path / "1", task)


def test_a_shard_that_is_cut_is_refused_until_it_is_finished(tmp_path):
    def cut():
        raise KeyboardInterrupt

    classify(Scorer(), tmp_path / "1", shard=Shard(1, 2))
    with pytest.raises(KeyboardInterrupt):
        classify(Scorer(faults={"s16": cut}), tmp_path / "2", shard=Shard(2, 2))
    task = classification(labelled(24), measures=["accuracy", "nll"])
    with pytest.raises(ValueError, match="2 is unfinished"):
        merge([tmp_path / "1", tmp_path / "2"], tmp_path / "merged", task)
    classify(Scorer(), tmp_path / "2", shard=Shard(2, 2))
    assert merge([tmp_path / "1", tmp_path / "2"], tmp_path / "merged", task).complete


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "a/b", "1/2/3", "-1/2", ""])
def test_a_shard_is_one_of_so_many(text):
    with pytest.raises(ValueError, match="NUMBER/OF"):
        Shard.read(text)


def test_a_fork_asks_only_what_the_change_has_changed(tmp_path):
    first, second = Scorer(), Scorer()
    classify(first, tmp_path / "run", count=10)
    with pytest.raises(ValueError, match="--fork"):
        classify(second, tmp_path / "run", count=16)
    run = classify(second, tmp_path / "run", count=16, fork=True)
    assert run.folder != tmp_path / "run" and run.folder.parent == tmp_path
    assert not set(second.asked) & set(first.asked) and second.asked
    assert "taken over from run" in run.manifest.notes[0]
    fresh = classify(Scorer(), tmp_path / "fresh", count=16)
    assert run.as_json() == fresh.as_json()
    assert load_run(tmp_path / "run").planned < run.planned
    third = Scorer()
    again = classify(third, tmp_path / "run", count=16, fork=True)
    assert again.folder == run.folder and third.asked == []


def test_a_fork_asks_again_what_failed_and_what_another_model_said(tmp_path):
    def broken():
        raise RuntimeError("down")

    classify(Scorer(faults={"s03": broken}), tmp_path / "run")
    mended = Scorer()
    run = classify(mended, tmp_path / "run", fork=True, seed=5)
    assert set(mended.asked) == {"s03"} and run.complete
    other = Scorer(fingerprint="fake-2")
    run = classify(other, tmp_path / "run", fork=True)
    assert len(other.asked) == run.planned and "nothing is taken over" in run.manifest.notes[0]


def test_a_run_is_scored_again_without_a_model(tmp_path):
    whole = classify(Scorer(), tmp_path)
    answers = (tmp_path / exports.PREDICTIONS).read_bytes()
    data = labelled(24)
    run = rescore(tmp_path, classification(data, measures=["macro_f1", "accuracy"]))
    assert [e.metric for e in run.estimates[:2]] == ["macro_f1", "accuracy"]
    assert (tmp_path / exports.PREDICTIONS).read_bytes() == answers
    assert load_run(tmp_path).manifest.metrics == ("macro_f1", "accuracy")
    back = rescore(tmp_path, classification(data, measures=["accuracy", "nll"]))
    assert back.as_json() == whole.as_json()
    with pytest.raises(ValueError, match="have changed, or another part"):
        rescore(tmp_path, classification(labelled(23)))


def test_what_ran_out_of_memory_is_asked_in_smaller_parts_from_then_on(tmp_path):
    class Small(Scorer):
        def score(self, samples, choices):
            if len(samples) > 3:
                self.calls.append(["too many"])
                raise MemoryError
            return super().score(samples, choices)

    model = Small()
    run = classify(model, tmp_path)
    assert run.complete and model.calls.count(["too many"]) == 1
    assert max(len(call) for call in model.calls) == 3
    assert run.timings["memory_splits"] == {"0": [5]}
    assert np.allclose(run.predictions["answer"], classify(Scorer(), None).predictions["answer"])


def test_estimates_of_a_whole_run_say_nothing_of_shards(tmp_path):
    classify(Scorer(), tmp_path)
    assert "shard" not in json.loads((tmp_path / exports.ESTIMATES).read_text())
