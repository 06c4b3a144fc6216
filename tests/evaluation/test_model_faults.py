"""Whatever a model does, its samples are in exactly one state, and other samples' answers do not notice."""

import sys
import warnings

import numpy as np
import pytest
from evaluation_fakes import Embedder, FakeMedia, Scorer, concepts, labelled

from assay.evaluation.answers import LONGEST, UnusableAnswer, checked, describe
from assay.evaluation.errors import Terminated
from assay.evaluation.evaluate import evaluate
from assay.evaluation.tasks import classification, retrieval
from assay.types import CLEAN, Condition, Failure, MediaError, Sample

DATA = labelled(20, 3)


class Unspeakable(Exception):
    def __str__(self):
        raise RuntimeError("no")


def raising(error):
    def fault():
        raise error

    return fault


def endless():
    return endless()


def classify(model, **options):
    return evaluate(
        model, classification(DATA, conditions=[CLEAN], measures=["accuracy", "nll"]), speed=False, **options
    )


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (raising(ValueError("bad\nsample")), "exception", "ValueError: bad sample"),
        (raising(MediaError("a.png: truncated")), "media", "a.png: truncated"),
        (raising(MemoryError("too big")), "out_of_memory", "too big"),
        (endless, "exception", "RecursionError"),
        (raising(Unspeakable()), "exception", "Unspeakable: (its message cannot be read: RuntimeError)"),
        (raising(StopIteration()), "exception", "StopIteration"),
        (raising(ValueError("\ud800\x1b[2J\u202e")), "exception", "ValueError"),
        (raising(ValueError("x" * 10_000_000)), "exception", "ValueError: xxx"),
        (raising(ExceptionGroup("several", [ValueError("a")])), "exception", "several"),
    ],
)
def test_samples_that_raise_are_errors_and_the_others_are_answered(fault, kind, words):
    run = classify(Scorer(faults={"s03": fault, "s07": fault}), batch=8)
    assert [(e["sample"], e["error_kind"]) for e in run.errors()] == [("s03", kind), ("s07", kind)]
    assert all(
        words in e["error"] and len(e["error"]) < LONGEST + 50 and e["error"].isprintable() for e in run.errors()
    )
    assert run.status == "incomplete 18/20" and run.headline.n == 18 and run.headline.n_missing == 2
    sound = classify(Scorer(), batch=8)
    kept = ~np.isin(sound.predictions["sample"], ["s03", "s07"])
    np.testing.assert_array_equal(run.predictions["answer"][kept], sound.predictions["answer"][kept])
    correct = sound.measurements["measure.correct"][kept]
    assert run.headline.value == pytest.approx(correct.mean(), abs=1e-12)


@pytest.mark.parametrize("stop", [KeyboardInterrupt, Terminated])
def test_what_means_to_stop_stops_and_can_go_on(stop, tmp_path):
    with pytest.raises(stop):
        classify(Scorer(faults={"s13": raising(stop())}), batch=4, out=tmp_path)
    again = Scorer()
    run = classify(again, batch=4, out=tmp_path)
    assert run.complete and again.asked[0] == "s12"


@pytest.mark.parametrize("code", [0, 5, None])
def test_a_model_that_ends_the_program_has_not_answered(code):
    run = classify(Scorer(faults={"s13": raising(SystemExit(code))}), batch=4)
    said = f"EndedItself: the model called sys.exit({code!r}) instead of answering"
    assert [(one["sample"], one["error"]) for one in run.errors()] == [("s13", said)]


def test_memory_that_runs_out_halves_the_batch_and_is_recorded():
    class Small(Scorer):
        def score(self, samples, choices):
            if len(samples) > 5:
                raise MemoryError
            return super().score(samples, choices)

    run = classify(Small(), batch=16)
    assert run.complete and run.timings["memory_splits"] == {"0": [16, 8, 8]}
    np.testing.assert_array_equal(run.predictions["answer"], classify(Scorer(), batch=16).predictions["answer"])


def instead(result):
    class Odd(Scorer):
        def score(self, samples, choices):
            sound = super().score(samples, choices)
            return result(sound) if any(s.id == "s05" for s in samples) else sound

    return Odd()


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (lambda a: None, "got NoneType"),
        (lambda a: "a", "got str"),
        (lambda a: b"a", "got bytes"),
        (lambda a: {"a": 1}, "got dict"),
        (lambda a: 3.0, "got float64[]"),
        (lambda a: a[:-1], "got float32[0, 3]"),
        (lambda a: a.T, "got float32[3, 1]"),
        (lambda a: a[:, :2], "got float32[1, 2]"),
        (lambda a: np.hstack([a, a[:, :1]]), "got float32[1, 4]"),
        (lambda a: a.argmax(axis=1), "got int64[1]"),
        (lambda a: [["a", "b", "c"]] * len(a), "got <U1[1, 3]"),
        (lambda a: a.astype(complex), "got complex"),
        (lambda a: [[1.0], [2.0, 3.0]], "no array"),
    ],
)
def test_what_cannot_be_answers_is_an_error_that_says_what_came(result, words):
    run = classify(instead(result), batch=8)
    (error,) = run.errors()
    assert error["sample"] == "s05" and error["error_kind"] == "unusable_answer"
    assert "expected float32[1, 3] from score" in error["error"] and words in error["error"]
    assert run.headline.n == 19


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        (lambda r: np.full(3, np.nan), "not_finite", "NaN in 3 of 3"),
        (lambda r: [r[0], np.nan, r[2]], "not_finite", "NaN in 1 of 3"),
        (lambda r: [r[0], np.inf, r[2]], "not_log_probability", "inf"),
        (lambda r: np.full(3, -np.inf), "not_finite", "minus infinity for every choice"),
        (lambda r: np.exp(r), "not_log_probability", "expected log-probabilities"),
        (lambda r: np.float16([7e4, 0, 0]), "not_log_probability", "inf"),
    ],
)
def test_a_row_of_bad_values_is_that_samples_error_alone(change, kind, words):
    class Odd(Scorer):
        def score(self, samples, choices):
            rows = super().score(samples, choices)
            for i, sample in enumerate(samples):
                if sample.id == "s05":
                    rows[i] = change(rows[i])
            return rows

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the fault's own overflow
        run = classify(Odd(), batch=8)
    (error,) = run.errors()
    assert (error["sample"], error["error_kind"]) == ("s05", kind) and words in error["error"]


def test_impossible_choices_and_rounding_are_no_errors():
    rows = checked(np.array([[-np.inf, 0.0, -np.inf], [-1.0, 5e-4, -2.0]]), 2, 3, "score")
    assert not any(isinstance(row, Failure) for row in rows)


def test_lists_and_other_number_types_are_taken():
    for came in ([[-1, -2]], np.array([[-1, -2]], dtype=np.int8), np.array([[-1.0, -2.0]], dtype=np.float64)):
        (row,) = checked(came, 1, 2, "score")
        assert row.dtype == np.float32 and row.tolist() == [-1.0, -2.0]


def test_embeddings_must_be_of_one_length():
    class Growing(Embedder):
        def embed(self, samples, modality=None):
            vectors = super().embed(samples, modality)
            return vectors[:, :5] if any("test3" in s.id for s in samples) else vectors

    run = evaluate(Growing(), retrieval(concepts()), speed=False, batch=2)
    assert {e["error_kind"] for e in run.errors()} == {"unusable_answer"}
    assert {e["sample"] for e in run.errors()} == {"test3/x", "test3/y"}
    with pytest.raises(UnusableAnswer):
        checked(np.zeros((2, 0)), 2, None, "embed")


def test_a_model_that_fails_always_gives_an_undefined_figure_not_zero():
    fault = raising(RuntimeError("no weights"))
    run = classify(Scorer(faults={s.id: fault for s in DATA.samples}))
    assert np.isnan(run.headline.value) and run.headline.n == 0 and run.headline.n_missing == 20
    assert run.as_json()["estimates"][0]["value"] is None
    blind = Embedder(faults={s.id: fault for s in concepts().samples})
    found = evaluate(blind, retrieval(concepts()), speed=False)
    assert np.isnan(found.headline.value) and found.headline.n_missing == 6 and not found.complete


def test_what_a_model_prints_does_not_reach_standard_output(capsys):
    class Chatty(Scorer):
        def score(self, samples, choices):
            print("thinking")
            return super().score(samples, choices)

    classify(Chatty())
    said = capsys.readouterr()
    assert said.out == "" and "thinking" in said.err
    assert sys.stdout is not sys.stderr


def test_a_model_sees_neither_target_nor_groups_and_cannot_change_what_others_see():
    class Meddler(Scorer):
        def score(self, samples, choices):
            assert all(s.target is None and not s.groups and not s.references for s in samples)
            found = super().score(samples, choices)
            for sample in samples:
                sample.inputs.clear()
            samples.clear()
            return found

    assert classify(Meddler()).complete
    assert classify(Scorer()).complete  # the data is as it was


def test_a_condition_that_fails_on_one_sample_is_that_samples_error():
    def picky(sample, rng):
        if sample.id == "s04":
            raise MediaError("s04: cannot be blurred")
        return sample.with_inputs({}) if sample.id == "s06" else sample

    model = Scorer()
    task = classification(DATA, conditions=[CLEAN, Condition("blur:image@1", picky)], measures=["accuracy"])
    run = evaluate(model, task, speed=False)
    assert [(e["sample"], e["condition"], e["error_kind"]) for e in run.errors()] == [
        ("s04", "blur:image@1", "media"),
        ("s06", "blur:image@1", "nothing_left"),
    ]
    assert run.headline.n_missing == 0
    (blurred,) = [e for e in run.estimates if e.condition == "blur:image@1" and e.slice == "all"]
    assert (blurred.n, blurred.n_missing) == (8, 2)


def test_random_conditions_depend_on_seed_and_sample_only():
    seen = {}

    def jitter(sample, rng):
        seen.setdefault(sample.id, []).append(rng.integers(1 << 60))
        return sample

    def once(seed, batch, count):
        seen.clear()
        task = classification(labelled(count), conditions=[Condition("jitter:text", jitter)], measures=["accuracy"])
        evaluate(Scorer(), task, seed=seed, batch=batch, speed=False)
        return dict(seen)

    whole = once(0, 64, 8)
    assert once(0, 3, 8) == whole
    assert once(1, 64, 8) != whole
    assert len({n for numbers in whole.values() for n in numbers}) == 8
    assert {name: whole[name] for name in once(0, 64, 5)} == once(0, 64, 5)


def test_descriptions_are_short_and_printable():
    assert describe(KeyError("x")) == "KeyError: 'x'"
    assert describe(ValueError()) == "ValueError"


def test_modalities_that_a_model_does_not_take_are_not_shown():
    class Watching(Scorer):
        def score(self, samples, choices):
            assert all(set(s.inputs) <= {"text"} for s in samples)
            return super().score(samples, choices)

    run = classify(Watching(modalities=frozenset({"text"})))
    assert run.complete and set(run.predictions["condition"]) == {"clean"}
    assert isinstance(DATA.samples[0].inputs["image"], FakeMedia)
    assert isinstance(DATA.samples[0], Sample)
