"""A model that answers each sample for itself, many at once: nothing given is lost, nothing is asked twice."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest

from assay.data.dataset import Dataset
from assay.evaluation.evaluate import Session, evaluate
from assay.evaluation.how import How
from assay.evaluation.store import NAME, reading
from assay.evaluation.tasks import classification, retrieval, vqa
from assay.types import Failure, ModelStoppedError, Sample, Streams

N = 250


@dataclass
class Reversing:
    """Answers in threes, the last first; ``stop`` is the id at which it does something else instead."""

    name: str = "reversing"
    fingerprint: str = "0"
    modalities: frozenset[str] = frozenset({"text", "image"})
    stop: str = ""
    by: type[BaseException] | None = None
    asked: list[str] = field(default_factory=list)

    def spent(self) -> dict[str, float]:
        return {"requests": len(self.asked)}

    def stream(self, verb: str, samples: Iterable[Sample], *, choices=(), modality=None) -> Iterator:
        held: list[tuple[int, Sample]] = []
        for place, sample in enumerate(samples):
            if self.by is not None and sample.id == self.stop:
                raise self.by("no more")
            self.asked.append(sample.id)
            held.append((place, sample))
            if len(held) == 3:
                yield from self.given(held, verb, choices)
                yield None
                held = []
        yield from self.given(held, verb, choices)

    def given(self, held: list[tuple[int, Sample]], verb: str, choices) -> Iterator:
        for place, sample in reversed(held):
            if self.by is None and sample.id == self.stop:
                yield place, Failure("refused", "I would rather not")
            elif verb == "generate":
                yield place, f"answer {sample.id}"
            elif verb == "score":
                yield place, np.log(np.full(len(choices), 1 / len(choices), np.float32))
            else:
                yield place, np.full(4, 0.5, np.float32)

    def generate(self, samples, modality="text"):
        return [one[1] for one in sorted(one for one in self.stream("generate", samples) if one is not None)]

    score = embed = generate


def questions(n: int = N) -> Dataset:
    samples = [
        Sample(str(i), {"text": f"question {i}?"}, target="ab"[i % 2], references=(f"answer {i}",)) for i in range(n)
    ]
    return Dataset("questions", samples, "0", choices=("a", "b"))


def asking(n: int = N):
    return vqa(Dataset("questions", questions(n).samples, "0"), measures=("exact_match",))


def test_every_answer_belongs_to_its_own_sample(tmp_path):
    model = Reversing()
    assert isinstance(model, Streams)
    run = evaluate(model, asking(), out=tmp_path, speed=False)
    assert run.complete and run.headline.value == 1.0 and run.headline.n == N
    assert run.manifest.batch == 1
    assert run.timings["spent"] == {"requests": N}
    assert evaluate(model, asking(), out=tmp_path, speed=False).complete
    assert len(model.asked) == N


def test_a_failure_costs_one_sample_and_no_other_answer(tmp_path):
    run = evaluate(Reversing(stop="7"), asking(), out=tmp_path, speed=False)
    assert run.status == f"incomplete {N - 1}/{N}"
    assert run.errors() == [
        {"sample": "7", "condition": "clean", "error_kind": "refused", "error": "I would rather not"}
    ]
    assert run.headline.value == 1.0 and run.headline.n_missing == 1


@pytest.mark.parametrize("stopped", [KeyboardInterrupt, ModelStoppedError])
def test_what_came_before_it_stopped_is_kept_and_not_asked_again(tmp_path, stopped):
    whole = evaluate(Reversing(), asking(), out=tmp_path / "whole", speed=False)
    first = Reversing(stop="200", by=stopped)
    with pytest.raises(stopped):
        evaluate(first, asking(), out=tmp_path / "cut", speed=False)
    with reading(tmp_path / "cut" / NAME) as store:
        assert store.count() == 198  # the two that were handed over last were not answered
    second = Reversing()
    run = evaluate(second, asking(), out=tmp_path / "cut", speed=False)
    assert set(second.asked) == {str(i) for i in range(198, N)}
    assert run.timings["spent"]["requests"] == N + 2
    for name in ("estimates.json", "predictions.parquet", "measurements.parquet"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert whole.complete


def test_what_stopped_it_says_how_much_is_left(tmp_path):
    with pytest.raises(ModelStoppedError, match="no more 52 of 250 answers are still to be given"):
        evaluate(Reversing(stop="200", by=ModelStoppedError), asking(), out=tmp_path, speed=False)


def test_scores_and_vectors_stream_too():
    assert evaluate(Reversing(), classification(questions()), speed=False).complete
    pairs = [Sample(str(i), {"text": f"t{i}", "image": f"i{i}"}) for i in range(40)]
    assert evaluate(Reversing(), retrieval(Dataset("pairs", pairs, "0")), speed=False).complete


def test_a_list_may_hold_failures_beside_answers():
    class Partial:
        name, fingerprint, modalities = "partial", "0", frozenset({"text"})
        calls = 0

        def score(self, samples, choices):
            self.calls += 1
            row = np.log(np.full(len(choices), 1 / len(choices), np.float32))
            return [Failure("refused", "no") if sample.id == "3" else row for sample in samples]

    model = Partial()
    run = evaluate(model, classification(questions(10)), speed=False)
    assert [error["sample"] for error in run.errors()] == ["3"] and model.calls == 1


def test_what_failed_is_asked_again_on_request_and_nothing_else(tmp_path):
    whole = evaluate(Reversing(), asking(20), out=tmp_path / "whole", speed=False)
    evaluate(Reversing(stop="7"), asking(20), out=tmp_path / "run", speed=False)
    model = Reversing()
    assert not evaluate(model, asking(20), out=tmp_path / "run", speed=False).complete and model.asked == []
    again = Session(How(retry_failed=True))
    assert evaluate(model, asking(20), out=tmp_path / "run", speed=False, session=again).complete
    assert model.asked == ["7"] and whole.complete
    assert evaluate(model, asking(20), out=tmp_path / "run", speed=False, session=again).complete
    assert model.asked == ["7"]
    for name in ("estimates.json", "predictions.parquet", "measurements.parquet"):
        assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_a_batch_with_a_failure_is_asked_again_whole(tmp_path):
    class Batches:
        name, fingerprint, modalities = "batches", "0", frozenset({"text"})

        def __init__(self, failing=()):
            self.failing, self.asked = failing, []

        def generate(self, samples, modality="text"):
            self.asked.append([sample.id for sample in samples])
            return [Failure("no", "not now") if one.id in self.failing else f"answer {one.id}" for one in samples]

    first = evaluate(Batches({"5"}), asking(12), out=tmp_path, batch=4, speed=False)
    assert first.status == "incomplete 11/12"
    model = Batches()
    run = evaluate(model, asking(12), out=tmp_path, speed=False, session=Session(How(batch=4, retry_failed=True)))
    assert run.complete and model.asked == [["4", "5", "6", "7"]]
