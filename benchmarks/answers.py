"""Answers, transcripts and translations beside jiwer and sacrebleu: values without intervals, which the peers do not give."""

from __future__ import annotations

import random
from collections.abc import Iterator

import jiwer
import numpy as np
import sacrebleu

from assay import metrics
from benchmarks.pairing import Pairing, pair

UTTERANCES, SENTENCES, QUESTIONS, ANNOTATORS = 10_000, 5_000, 100_000, 10


def sentences(count: int, seed: int) -> tuple[list[str], list[str]]:
    """Sentences of 5 to 30 words, a fifth of which another speaker said otherwise; every twelfth word ends in punctuation."""
    rng = random.Random(seed)
    letters = "etaoinshrdlucmfwypvbgkjqxz"
    words = ["".join(rng.choices(letters, range(26, 0, -1), k=rng.randrange(2, 10))) for _ in range(8_000)]
    said = [word + (rng.choice(",.;") if rng.random() < 1 / 12 else "") for word in words]
    true = [" ".join(rng.choices(said, k=rng.randrange(5, 31))) + "." for _ in range(count)]
    heard = [" ".join(rng.choice(said) if rng.random() < 0.2 else word for word in line.split()) for line in true]
    return heard, true


def of(name: str, predictions: list[str], references: list[str] | list[list[str]]) -> float:
    """The value of one metric."""
    metric = metrics.get(name)
    rows = metrics.measure([metric], predictions, references)
    return float(metric.aggregate(rows, np.ones((1, len(predictions))))[0])


def error_rates() -> Iterator[Pairing]:
    """Word and character error rates."""
    heard, true = sentences(UTTERANCES, 0)
    assert abs(of("wer", heard, true) - jiwer.wer(true, heard)) < 1e-9
    work = f"{UTTERANCES} utterances"
    yield pair(f"WER, {work}", lambda: of("wer", heard, true), "jiwer", lambda: jiwer.wer(true, heard))
    yield pair(f"CER, {work}", lambda: of("cer", heard, true), "jiwer", lambda: jiwer.cer(true, heard))


def translations() -> Iterator[Pairing]:
    """BLEU and chrF of sentences that sacrebleu has not seen before: it keeps tokens of lines that it knows."""
    heard, true = sentences(SENTENCES, 1)
    fresh = iter(range(1_000))

    def unseen() -> tuple[list[str], list[list[str]]]:
        mark = f" n{next(fresh)}"
        return [line + mark for line in heard], [[line + mark for line in true]]

    peers = {
        "bleu": lambda: sacrebleu.corpus_bleu(*unseen()),
        "chrf": lambda: sacrebleu.corpus_chrf(*unseen()),
        "chrf++": lambda: sacrebleu.corpus_chrf(*unseen(), word_order=2),
    }
    for name, theirs in peers.items():
        yield pair(f"{name}, {SENTENCES} sentences", lambda name=name: of(name, heard, true), "sacrebleu", theirs)


def vqa() -> Pairing:
    """VQA accuracy of 3,000 different answers; no peer on a package index computes it."""
    rng = np.random.default_rng(0)
    said = np.array([f"{article}{i} things" for i in range(1_000) for article in ("the ", "", "a-")])
    humans = said[rng.integers(0, len(said), (QUESTIONS, ANNOTATORS))].tolist()
    answers = said[rng.integers(0, len(said), QUESTIONS)].tolist()
    return pair(f"VQA accuracy, {QUESTIONS} answers x {ANNOTATORS}", lambda: of("vqa_accuracy", answers, humans))


def pairings() -> Iterator[Pairing]:
    """All of them."""
    yield from error_rates()
    yield from translations()
    yield vqa()
