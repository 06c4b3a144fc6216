"""METEOR 1.5 of captions: what each prediction and the reference that suits it best have in common, and the formula.

P and R are the weighted shares of the prediction's and the reference's words that are matched: content words weigh
δ, function words 1 - δ, and a match counts by its stage. F = P R / (α P + (1 - α) R); with ``m`` words matched (the mean of both
sides) in ``ch`` chunks the score is F (1 - γ (ch / m)^β). Where all words of both are matched in one chunk there is no penalty.

Source: Denkowski & Lavie 2014; the program that COCO's caption scores use, run with ``-l en -norm``: its task is rank, and these
are its constants.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

import numpy as np
from numpy.typing import NDArray

from assay.metrics.meteor15.beam import Alignments, aligned
from assay.metrics.meteor15.candidates import Finder, Matches, matches
from assay.metrics.meteor15.index import Index
from assay.metrics.meteor15.normalise import PLAIN, words_of
from assay.metrics.meteor15.ragged import ranges, runs
from assay.metrics.meteor15.relations import Corpus, related
from assay.metrics.meteor15.vocabulary import Vocabulary, look_up
from assay.metrics.vocabulary import Encoded

ALPHA, BETA, GAMMA, DELTA = 0.85, 0.2, 0.6, 0.75
STAGE_OF_KIND = np.array([0, 1, 2, 3, 3])
STAGE_WEIGHTS = (1.0, 0.6, 0.8, 0.6)
STAGES = len(STAGE_WEIGHTS)

MOST_WORDS = 1000
"""Words of a caption that can be aligned: the work grows with the product of both lengths, and faster where words repeat."""

BLOCK = 1 << 21
"""Pairs of words that are compared together, so that memory does not grow with the corpus."""

Ids = NDArray[np.int64]
Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Segments:
    """Sufficient statistics, each row's prediction first and reference second: ``matched`` and ``length`` ``[n, 2]`` are
    weighted, ``chunks[n]`` (0 without a penalty), ``words[n]`` the mean number of words matched."""

    matched: Values
    length: Values
    chunks: Values
    words: Values

    def __getitem__(self, index: NDArray[np.integer]) -> Segments:
        return Segments(self.matched[index], self.length[index], self.chunks[index], self.words[index])

    @property
    def score(self) -> Values:
        """The score ``[n]`` of each."""
        return score(self.matched, self.length, self.chunks, self.words)


NO_SEGMENTS = Segments(np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0), np.zeros(0))


def score(matched: Values, length: Values, chunks: Values, words: Values) -> Values:
    """METEOR of sufficient statistics (of one segment or summed), 0 where nothing matches.

    >>> score(np.array([[1.95 + 0.5, 1.95 + 0.65]]), np.array([[3.0, 3.25]]), np.array([1.0]), np.array([5.5])).round(6)
    array([0.460083])
    """
    some = (matched > 0).all(axis=1)
    precision, recall = (matched[some] / length[some]).T
    f_mean = 1 / ((1 - ALPHA) / precision + ALPHA / recall)
    out = np.zeros(len(matched))
    out[some] = np.maximum(f_mean * (1 - GAMMA * (chunks[some] / words[some]) ** BETA), 0)
    return out


def segments(captions: Encoded, predicted: Ids, referred: Ids, row: Ids, index: Index | None) -> Segments:
    """The statistics of each row with the reference that scores best, the first of equals.

    ``predicted[p]`` and ``referred[p]`` are captions to compare, ``row[p]`` (ascending from 0, each at least once) the rows they
    belong to. Without an ``index`` stages are exact words and stems, and every word is a content word. Raises
    `ValueError` for a caption of more than `MOST_WORDS`, naming the row.
    """
    kind, texts = _distinct(captions.tokens, captions.starts)
    pair, back = np.unique(kind[predicted] * len(texts) + kind[referred], return_inverse=True)
    left, right = np.divmod(pair, max(len(texts), 1))
    corpus, words = _normalised(captions, texts, left, right, index)
    too_long = np.flatnonzero((corpus.length[left] > MOST_WORDS) | (corpus.length[right] > MOST_WORDS))
    if len(too_long):
        place = int(np.flatnonzero(np.isin(back, too_long))[0])
        longest = max(int(corpus.length[side[back[place]]]) for side in (left, right))
        raise ValueError(f"row {row[place]}: METEOR aligns captions of at most {MOST_WORDS:,} words, not {longest:,}")
    found = _compared(corpus, look_up(words, None if index is None else index.arrays), (left, right), index)[back]
    return found[_best(found.score, row)]


def _best(scores: Values, row: Ids) -> NDArray[np.intp]:
    """The first place of the greatest score of each row."""
    if not len(row):
        return np.zeros(0, dtype=np.intp)
    first = np.flatnonzero(np.diff(row, prepend=-1))
    greatest = np.repeat(np.maximum.reduceat(scores, first), np.diff(first, append=len(row)))
    there = np.flatnonzero(scores == greatest)
    return there[np.flatnonzero(np.diff(row[there], prepend=-1))]


def _distinct(tokens: NDArray[np.integer], starts: Ids) -> tuple[Ids, Ids]:
    """For each caption its number among the distinct ones, and of each of those the first caption that is it."""
    data, bounds = tokens.tobytes(), (starts * tokens.itemsize).tolist()
    place: dict[bytes, int] = {}
    kind = [place.setdefault(data[a:b], len(place)) for a, b in pairwise(bounds)]
    numbers = np.array(kind, dtype=np.int64)
    return numbers, np.unique(numbers, return_index=True)[1].astype(np.int64)


def _normalised(
    captions: Encoded, texts: Ids, left: Ids, right: Ids, index: Index | None
) -> tuple[Corpus, Sequence[str]]:
    """The distinct captions ``texts`` as METEOR's words, and the distinct words.

    Where all tokens are plain words normalisation changes nothing; the other captions are normalised one by one.
    """
    lengths = captions.lengths[texts]
    token = captions.tokens[ranges(captions.starts[texts], lengths)].astype(np.int64)
    is_plain = np.fromiter(
        (PLAIN.fullmatch(one) is not None for one in captions.vocabulary), np.bool_, len(captions.vocabulary)
    )
    owner = np.repeat(np.arange(len(texts)), lengths)
    odd = np.unique(owner[~is_plain[token]])
    place = {one: number for number, one in enumerate(captions.vocabulary)}
    abbreviations = {} if index is None else index.abbreviations
    lines = [words_of(" ".join(captions.words(int(texts[one]))), abbreviations) for one in odd]
    found = np.fromiter(
        (place.setdefault(word, len(place)) for word in chain.from_iterable(lines)), np.int64, sum(map(len, lines))
    )
    kept = ~np.isin(owner, odd)
    lengths[odd] = [len(line) for line in lines]
    owner = np.concatenate([owner[kept], np.repeat(odd, lengths[odd])])
    word = np.concatenate([token[kept], found])[np.argsort(owner, kind="stable")]
    used, word = np.unique(word, return_inverse=True)
    every = list(place)
    flags = np.zeros((2, len(texts)), dtype=np.bool_)
    flags[0, left], flags[1, right] = True, True
    corpus = Corpus(word, np.concatenate([[0], np.cumsum(lengths)]), flags[0], flags[1])
    return corpus, [every[number] for number in used.tolist()]


def _compared(corpus: Corpus, vocabulary: Vocabulary, pairs: tuple[Ids, Ids], index: Index | None) -> Segments:
    """The statistics of pairs of captions."""
    relations, predicted, referred = related(corpus, vocabulary, None if index is None else index.arrays)
    finder, keys = Finder.of(relations), _distinct(vocabulary.hash[corpus.word], corpus.start)[0]
    parts = []
    for part in runs(corpus.length[pairs[0]] * corpus.length[pairs[1]] + 1, BLOCK):
        left, right = pairs[0][part], pairs[1][part]
        found = matches(finder, predicted, referred, (left, right), keys[left] == keys[right])
        alignments = aligned(found, (corpus.length[left], corpus.length[right]))
        parts.append(_statistics(corpus, vocabulary.is_function, (left, right), found, alignments))
    columns = ([getattr(one, name) for one in parts] for name in Segments.__slots__)
    return Segments(*map(np.concatenate, columns)) if parts else NO_SEGMENTS


def _statistics(
    corpus: Corpus, is_function: NDArray[np.bool_], pairs: tuple[Ids, Ids], found: Matches, alignments: Alignments
) -> Segments:
    """Weighted matches and lengths, chunks and matched words of aligned pairs."""
    function = is_function[corpus.word]
    taken = np.flatnonzero(alignments.taken)
    pair, stage = found.pair[taken], STAGE_OF_KIND[found.kind[taken]]
    spans = ((found.own_place, found.own_length), (found.place, found.length))
    matched, length, total = (np.zeros((len(pairs[0]), 2)) for _ in range(3))
    functions = np.concatenate([[0], np.cumsum(function)])
    for side, (caption, (place, extent)) in enumerate(zip(pairs, spans, strict=True)):
        begin = corpus.start[caption]
        n_function = functions[corpus.start[caption + 1]] - functions[begin]
        length[:, side] = DELTA * (corpus.length[caption] - n_function) + (1 - DELTA) * n_function
        word = ranges(begin[pair] + place[taken], extent[taken])
        cell = np.repeat(pair * STAGES + stage, extent[taken])
        counts = [
            np.bincount(cell[function[word] == of], minlength=len(caption) * STAGES).reshape(-1, STAGES)
            for of in (False, True)
        ]
        for weight, count in zip((DELTA, 1 - DELTA), counts, strict=True):  # added up in the order of the reference
            for one, stage_weight in enumerate(STAGE_WEIGHTS):
                matched[:, side] += count[:, one] * stage_weight * weight
        total[:, side] = sum(count.sum(axis=1) for count in counts)
    whole = (
        (total[:, 0] == corpus.length[pairs[0]]) & (total[:, 1] == corpus.length[pairs[1]]) & (alignments.chunks == 1)
    )
    return Segments(matched, length, np.where(whole, 0, alignments.chunks).astype(np.float64), total.mean(axis=1))
