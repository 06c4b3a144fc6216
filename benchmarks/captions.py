"""Caption metrics without METEOR beside pycocoevalcap: tokenising, BLEU-1 to 4, ROUGE-L, CIDEr-D.

Captions are made from templates and a Zipf vocabulary of 10,000 words, so that they have the lengths, the repetitions and the
rare words of COCO's: about eleven words each, those of one image sharing most of their content words.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence

import numpy as np

from assay import metrics
from benchmarks.pairing import Pairing, needs_java, pair

IMAGES, REFERENCES, WORDS = 5_000, 5, 10_000
NAMES = ["bleu_1", "bleu_2", "bleu_3", "bleu_4", "rouge_l", "cider_d"]
SYLLABLES = "ba ton ri ca mel do sta per lin gro ve shi ka tur no ple ing er ed ly wo man ha te so".split()  # noqa: SIM905
TEMPLATES = (
    "A {} {} {} on a {} in the {}.",
    "The {} is {} a {} near the {} {}",
    "Two {} {} with a {} {} and a {}.",
    "A man {} a {}, while a {} {} in front of the {}.",
    "There is a {}'s {} {} next to a {}.",
    "Several {} are {} at the {} {}.",
    "a close up of a {} {} on top of a {} {}",
)


def captions(images: int, seed: int = 0) -> tuple[list[str], list[list[str]]]:
    """A prediction and `REFERENCES` references for each image."""
    rng = random.Random(seed)
    words = list(dict.fromkeys("".join(rng.choices(SYLLABLES, k=rng.randint(1, 4))) for _ in range(3 * WORDS)))[:WORDS]
    often = list(itertools.accumulate(1 / (place + 2.7) for place in range(len(words))))

    def caption(topic: list[str]) -> str:
        template = rng.choice(TEMPLATES)
        slots = template.count("{}")
        other = rng.choices(words, cum_weights=often, k=slots)
        return template.format(*(rng.choice(topic) if rng.random() < 0.75 else word for word in other))

    rows = []
    for _ in range(images):
        topic = rng.choices(words, cum_weights=often, k=8)
        rows.append([caption(topic) for _ in range(1 + REFERENCES)])
    return [row[0] for row in rows], [row[1:] for row in rows]


def by_coco(predictions: list[str], references: list[list[str]], *, meteor: bool = False) -> list[float]:
    """What pycocoevalcap does with them, its tokeniser in a Java process as always."""
    needs_java()
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.meteor.meteor import Meteor
    from pycocoevalcap.rouge.rouge import Rouge
    from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

    tokenizer = PTBTokenizer()
    there = tokenizer.tokenize({row: [{"caption": text} for text in texts] for row, texts in enumerate(references)})
    said = tokenizer.tokenize({row: [{"caption": text}] for row, text in enumerate(predictions)})
    bleu, _ = Bleu(4).compute_score(there, said, verbose=0)
    others = [Rouge(), Cider(), *([Meteor()] if meteor else [])]
    return [*bleu, *(float(one.compute_score(there, said)[0]) for one in others)]


def values(predictions: list[str], references: list[list[str]], names: Sequence[str] = NAMES) -> list[float]:
    """The same figures here."""
    chosen = [metrics.get(name) for name in names]
    rows = metrics.measure(chosen, predictions, references)
    return [float(metric.aggregate(rows, np.ones((1, len(predictions))))[0]) for metric in chosen]


def with_meteor() -> Iterator[Pairing]:
    """METEOR too, on which the peer spends most of its time."""
    given, names = captions(IMAGES), [*NAMES, "meteor"]
    assert np.allclose(values(*given, names), by_coco(*given, meteor=True), atol=1e-6)
    work = f"captions, {IMAGES} x {REFERENCES}, METEOR too"
    yield pair(work, lambda: values(*given, names), "pycocoevalcap", lambda: by_coco(*given, meteor=True))


def pairings() -> Iterator[Pairing]:
    """The figures; the figures with their intervals; ten times as many, which shall take ten times as long."""
    given = captions(IMAGES)
    assert np.allclose(values(*given), by_coco(*given), atol=1e-6)
    work = f"captions, {IMAGES} x {REFERENCES}: tokenise, BLEU, ROUGE-L, CIDEr-D"
    yield pair(work, lambda: values(*given), "pycocoevalcap", lambda: by_coco(*given))
    yield pair("the same with intervals of 9,999 resamples", lambda: metrics.score(NAMES, *given))
    many = captions(10 * IMAGES)
    yield pair(f"captions, {10 * IMAGES} x {REFERENCES}", lambda: values(*many))
