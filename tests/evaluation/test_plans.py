"""The plan: everything once, in fixed batches; what is declared absent is not in it."""

import numpy as np
import pytest
from evaluation_fakes import Embedder, Scorer, labelled
from hypothesis import given
from hypothesis import strategies as st

from assay.data.dataset import Dataset
from assay.evaluation.conditions import concerned, left, planned
from assay.evaluation.evaluate import config_hash, default_folder, evaluate
from assay.evaluation.plan import Pass, make_plan
from assay.evaluation.tasks import classification, labelling
from assay.types import CLEAN, Condition, Sample


def a_plan(counts, size):
    samples = [Sample(f"s{i}", {"text": "x"}) for i in range(max([*counts, 1]))]
    passes = [Pass(f"c{k}", CLEAN, np.arange(n)) for k, n in enumerate(counts)]
    return make_plan(samples, passes, size=size)


@given(st.lists(st.integers(0, 30), max_size=4), st.integers(1, 10))
def test_every_row_is_in_exactly_one_batch_and_no_batch_spans_two_passes(counts, size):
    plan = a_plan(counts, size)
    keys = [(plan.samples[i].id, b.asked.name, b.asked.repeat) for b in plan.batches() for i in b.samples]
    planned_keys = plan.keys()
    assert keys == [tuple(key) for key in planned_keys]
    assert len(set(keys)) == plan.rows == sum(counts)
    assert all(0 < len(b.samples) <= size for b in plan.batches())
    firsts = [b.first for b in plan.batches()]
    assert firsts == np.cumsum([0, *(len(b.samples) for b in plan.batches())])[:-1].tolist()


def test_digest_covers_order_and_batch_size():
    samples = [Sample("a", {"text": "x"}), Sample("b", {"text": "y"})]
    one = make_plan(samples, [Pass("clean", CLEAN, np.array([0, 1]))], size=2).digest
    assert one != make_plan(samples, [Pass("clean", CLEAN, np.array([1, 0]))], size=2).digest
    assert one != make_plan(samples, [Pass("clean", CLEAN, np.array([0, 1]))], size=1).digest
    assert one == make_plan(samples, [Pass("clean", CLEAN, np.array([0, 1]))], size=2).digest


@pytest.mark.parametrize("ids", [["a", "a"], [""], ["\ud800"]])
def test_ids_that_cannot_keep_answers_apart_are_refused(ids):
    with pytest.raises(ValueError, match="id"):
        make_plan([Sample(i, {"text": "x"}) for i in ids], [], size=4)


@pytest.mark.parametrize(
    ("condition", "held", "shown"),
    [
        ("clean", {"text", "image"}, {"text", "image"}),
        ("only:image", {"text", "image"}, {"image"}),
        ("only:image", {"text"}, set()),
        ("only:image+text", {"text", "image", "audio"}, {"text", "image"}),
        ("drop:image", {"text", "image"}, {"text"}),
        ("drop:image", {"image"}, set()),
        ("noise:image@3", {"text", "image"}, {"text", "image"}),
        ("noise:image@3", {"text"}, set()),
    ],
)
def test_what_a_condition_leaves(condition, held, shown):
    assert left(condition, held) == shown


def test_modality_conditions_mean_nothing_for_a_model_with_one_modality():
    conditions = [CLEAN, Condition("only:text"), Condition("drop:image"), Condition("noise:text@1")]
    assert [c.name for c in planned(conditions, {"text"})] == ["clean", "noise:text@1"]
    assert [c.name for c in planned(conditions, {"text", "image"})] == [c.name for c in conditions]


def test_a_sample_with_nothing_left_for_the_model_is_not_planned():
    data = labelled(4)
    assert concerned(data.samples, "clean", frozenset({"image"})).tolist() == [0, 2]
    assert concerned(data.samples, "drop:text", frozenset({"image", "text"})).tolist() == [0, 2]


def test_classification_asks_clean_alone_and_without():
    task = classification(labelled(6))
    names = [(p.name, len(p)) for p in labelling.passes(task, frozenset({"text", "image", "audio"}))]
    assert names == [("clean", 6), ("only:text", 6), ("only:image", 3), ("drop:text", 3), ("drop:image", 3)]
    assert [p.name for p in labelling.passes(task, frozenset({"text"}))] == ["clean"]


def test_samples_without_a_target_are_not_planned():
    data = labelled(4)
    bare = Dataset("d", [*data.samples, Sample("bare", {"text": "?"})], "f", choices=data.choices)
    run = evaluate(Scorer(), classification(bare), speed=False)
    assert "bare" not in run.predictions["sample"] and run.complete


def test_a_model_without_the_verb_or_the_modalities_is_refused():
    with pytest.raises(ValueError, match=r"cannot score: it can embed"):
        evaluate(Embedder(), classification(labelled()))
    with pytest.raises(ValueError, match="nothing to ask"):
        evaluate(Scorer(modalities=frozenset({"video"})), classification(labelled()))


def test_folder_and_hash_depend_on_what_decides_the_answers_only():
    task = classification(labelled())
    one = default_folder(Scorer(name="hf:a/b"), task)
    assert one.parts[:2] == ("runs", "classification") and one.name.startswith("hf-a-b-")
    same = classification(labelled(), measures=["accuracy"])
    assert config_hash(Scorer(), task) == config_hash(Scorer(), same)
    others = [
        config_hash(Scorer(fingerprint="fake-2"), task),
        config_hash(Scorer(), task, seed=1),
        config_hash(Scorer(), task, batch=8),
        config_hash(Scorer(), classification(labelled(), conditions=[CLEAN])),
        config_hash(Scorer(), classification(labelled(19))),
    ]
    assert len({config_hash(Scorer(), task), *others}) == 6
