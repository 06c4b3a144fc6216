"""CIDEr and CIDEr-D: the agreement of a caption with its references in rare n-grams.

An n-gram counts as often as it occurs, times its inverse document frequency log N - log max(1, df), df being the number of rows of
which some reference holds it, N the number of rows. For n = 1 … 4 and each reference: CIDEr is the cosine of the two vectors;
CIDEr-D clips the prediction's weights to the reference's and multiplies by exp(-d²/2σ²), σ = 6, d the difference of lengths in
bigrams (so that no word and one word are alike). Ten times the mean over n and references; the corpus's value is the mean.
What coco-caption calls CIDEr is CIDEr-D. There is no stemming, as in all public implementations.

The document frequencies are those of all references given, frozen: a slice or a resample keeps them (``idf:frozen``), and an interval is
conditional on them. `document_frequencies` makes those of another corpus, to be given as ``idf`` (``idf:given(N)``).

Sources: Vedantam et al. 2015; coco-caption (cider_scorer.py); vrama91/cider (cider, ciderD).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.metrics.captions import DEFAULT, PREPARE, Captions, full_name, tokenized, variant
from assay.metrics.metric import Metric, Rows, sign, weighted_mean
from assay.metrics.ngrams import ORDERS, Numbers, Overlap, counted, document_frequency, grams, overlap, rarity
from assay.metrics.standalone import estimate
from assay.stats.inputs import listed
from assay.types import Estimate

Values = NDArray[np.float64]

SIGMA = 6.0


@dataclass(frozen=True, slots=True)
class DocumentFrequencies:
    """In how many of ``images`` rows some reference holds an n-gram: ``counts[k]`` of ``grams[k]``, sorted, for k + 1 words.

    The n-grams are numbered as in `assay.metrics.ngrams.grams`, by the places of ``vocabulary``.
    """

    tokenizer: str
    images: int
    vocabulary: list[str]
    grams: tuple[Numbers, ...]
    counts: tuple[Numbers, ...]

    def places(self, order: int, first: Numbers, second: Numbers | None = None) -> Numbers:
        """Where in ``grams`` an n-gram is that is made of these two parts, or of one word; -1 where it, or a part, is not there."""
        if second is None:
            return first
        step = len(self.grams[1]) if order == 4 else len(self.vocabulary)
        known, wanted = np.append(self.grams[order - 1], -1), first * step + second
        place = np.searchsorted(known[:-1], wanted)
        return np.where((first >= 0) & (second >= 0) & (known[place] == wanted), place, -1)

    def of(self, words: Numbers, asked: Sequence[Numbers]) -> Numbers:
        """The frequencies of the n-grams ``asked[-1]``, numbered by another vocabulary whose words are here ``words``, or -1."""
        order, size = len(asked), len(words)
        if order == 1:
            place = words[asked[0]]
        else:
            place = pairs = self.places(2, words[asked[1] // size], words[asked[1] % size])
        if order > 2:
            last, step = (words, size) if order == 3 else (pairs, len(asked[1]))
            place = self.places(order, pairs[asked[-1] // step], last[asked[-1] % step])
        return np.where(place >= 0, np.append(self.counts[order - 1], 0)[place], 0)


def document_frequencies(references: Sequence[str | Sequence[str]], *, tokenizer: str = DEFAULT) -> DocumentFrequencies:
    """The document frequencies of a corpus, one text or several a row, for `cider` and `cider_d`.

    Raises `ValueError` as `assay.metrics.captions.tokenized`.

    >>> found = document_frequencies([["a dog", "the dog"], ["a cat"]])
    >>> found.images, dict(zip(found.vocabulary, found.counts[0].tolist()))
    (2, {'a': 2, 'dog': 1, 'the': 1, 'cat': 1})
    """
    full_name("", tokenizer)
    listed(references, "references")
    captions = tokenized(tokenizer, [""] * len(references), references)
    names, counts = [], []
    for gram, caption in grams(captions.split):
        found = counted(gram, caption, len(captions.is_head))
        names.append(found.grams)
        counts.append(document_frequency(found, captions.row, captions.is_head))
    return DocumentFrequencies(tokenizer, len(captions), captions.split.vocabulary, tuple(names), tuple(counts))


def given_overlap(captions: Captions, frequencies: DocumentFrequencies) -> Overlap:
    """What captions share, weighted by how rare it is in another corpus."""
    number = {token: place for place, token in enumerate(frequencies.vocabulary)}
    words = np.array([number.get(token, -1) for token in captions.split.vocabulary] or [-1])
    own = captions.split
    return overlap(
        own, captions.row, captions.is_head, lambda asked, _: rarity(frequencies.images, frequencies.of(words, asked))
    )


def scores(captions: Captions, shared: Overlap, *, clipped: bool) -> Values:
    """CIDEr-D ``[n]`` of each row, or CIDEr."""
    texts, reference = captions.texts, ~captions.is_head
    said = np.repeat(captions.head, texts.count)
    norm = np.sqrt(shared.square)
    both = norm[said] * norm[reference]
    alike = np.divide(
        (shared.clipped if clipped else shared.product)[reference], both, out=np.zeros_like(both), where=both > 0
    ).mean(axis=1)
    if clipped:
        pairs = np.maximum(captions.split.lengths - 1, 0)
        alike = alike * np.exp(-((pairs[said] - pairs[reference]) ** 2) / (2 * SIGMA**2))
    return 10 * np.add.reduceat(alike, texts.first) / texts.count if len(captions) else np.zeros(0)


def measure(name: str, frequencies: DocumentFrequencies | None, captions: Captions) -> Rows:
    """The column of the metric of this name."""
    shared = captions.overlap if frequencies is None else given_overlap(captions, frequencies)
    return {name: captions.texts.over(scores(captions, shared, clipped=variant(name)[0] == "cider_d"))}


@functools.cache
def named(name: str) -> Metric:
    """``cider``, ``cider_d``, or either with ``:chars`` or ``:jieba``.

    >>> named("cider_d").signature.rpartition("|")[0]
    'cider_d|tok:ptb-py|n:1-4|sigma:6|idf:frozen'
    """
    short, tokenizer = variant(name)
    clipped = short == "cider_d"
    how = (
        "each clipped to the reference's and times exp(-d²/72), d the difference of lengths in bigrams"
        if clipped
        else "as a cosine"
    )
    return Metric(
        name,
        functools.partial(measure, name, None),
        weighted_mean(name),
        bounds=(0.0, 10.0),
        item=name,
        signature=sign(name, f"tok:{tokenizer}", f"n:1-{ORDERS}", *(["sigma:6"] if clipped else []), "idf:frozen"),
        source="Vedantam et al. 2015; "
        + ("coco-caption, cider_scorer.py" if clipped else "vrama91/cider, cider_scorer.py"),
        family="texts",
        prepare=PREPARE[tokenizer],
        definition=f"10 × the mean over n = 1 … 4 and the references of the tf-idf vectors' agreement, {how}; idf = log N - log df,"
        " df the rows of which some reference holds the n-gram, over all N rows given, kept when rows are resampled; no stemming",
        edge="0 where no rare n-gram is shared; 0 for all when the corpus has one image, or all images the same references, for then"
        " every idf is 0; an n-gram in every row's references counts nothing; undefined without rows",
    )


def with_frequencies(metric: Metric, idf: DocumentFrequencies | Sequence[str | Sequence[str]]) -> Metric:
    """A CIDEr whose document frequencies are those of another corpus, or of its references.

    Raises `ValueError` for frequencies of another tokenizer.
    """
    tokenizer = variant(metric.name)[1]
    frequencies = idf if isinstance(idf, DocumentFrequencies) else document_frequencies(idf, tokenizer=tokenizer)
    if frequencies.tokenizer != tokenizer:
        raise ValueError(
            f"{metric.name}: document frequencies by {tokenizer} were expected, not by {frequencies.tokenizer}"
        )
    return replace(
        metric,
        measure=functools.partial(measure, metric.name, frequencies),
        signature=metric.signature.replace("idf:frozen", f"idf:given({frequencies.images})"),
    )


def cider(
    predictions: Sequence[str | None],
    references: Sequence[str | Sequence[str]],
    *,
    idf: DocumentFrequencies | Sequence[str | Sequence[str]] | None = None,
    tokenizer: str = DEFAULT,
    unit: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
) -> Estimate:
    """CIDEr without clipping and length penalty (what COCO calls CIDEr is `cider_d`). Arguments and errors as there."""
    metric = named(full_name("cider", tokenizer))
    metric = metric if idf is None else with_frequencies(metric, idf)
    return estimate(metric, predictions, references, unit=unit, seed=seed)


def cider_d(
    predictions: Sequence[str | None],
    references: Sequence[str | Sequence[str]],
    *,
    idf: DocumentFrequencies | Sequence[str | Sequence[str]] | None = None,
    tokenizer: str = DEFAULT,
    unit: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
) -> Estimate:
    """CIDEr-D, which coco-caption calls CIDEr, between 0 and 10; ``items`` holds each row's.

    ``idf`` is where document frequencies come from: None for the references given, else those of another corpus (`document_frequencies`,
    or its references). With one row they are all 0, and so is the value. Other arguments and errors as `assay.metrics.bleu_4`.

    >>> corpus = [["a man rides a horse", "a rider"], ["two dogs play", "dogs run"], ["a plate of pasta"]]
    >>> found = cider_d(["a man rides a horse", "two dogs run", None], corpus)
    >>> found.items.round(3).tolist(), found.n_missing
    ([5.075, 3.337], 1)
    >>> cider_d(["a plate of pasta"], [["a plate of pasta"]], idf=corpus).value
    10.0
    """
    metric = named(full_name("cider_d", tokenizer))
    metric = metric if idf is None else with_frequencies(metric, idf)
    return estimate(metric, predictions, references, unit=unit, seed=seed)
