"""Which words and phrases of a corpus METEOR may match at all: found once a corpus, not once a pair of captions.

A *unit* is a distinct word (numbered as in the vocabulary) or a distinct phrase of several words (numbered after them)
that some relation names. A *relation* joins a unit of predictions to one of references by one of the `KINDS`. An
*occurrence* is a unit at a place in a caption.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.metrics.meteor15.index import Arrays
from assay.metrics.meteor15.paraphrases import WORD_BITS
from assay.metrics.meteor15.ragged import joined, ranges
from assay.metrics.meteor15.vocabulary import UNKNOWN, Vocabulary

EXACT, STEM, SYNONYM, FORWARD, BACKWARD = KINDS = range(5)
"""In the order in which the reference finds them. Forward: the prediction's phrase is a paraphrase of the reference's."""

Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Corpus:
    """Captions as numbers: the ``word`` ids ``[t]`` of all, caption ``c`` being ``word[start[c]:start[c + 1]]``.

    ``predicted`` and ``referred`` ``bool[c]`` say which captions are predictions and which are references (or both).
    """

    word: Ids
    start: Ids
    predicted: NDArray[np.bool_]
    referred: NDArray[np.bool_]

    @property
    def length(self) -> Ids:
        """The words of each caption ``[c]``."""
        return np.diff(self.start)

    @property
    def caption(self) -> Ids:
        """The caption of each word ``[t]``."""
        return np.repeat(np.arange(len(self.start) - 1), self.length)


@dataclass(frozen=True, slots=True)
class Relations:
    """``[r]`` relations, ascending by ``predicted * units + referred`` (their ``key``), kind and rank.

    ``rank`` is a paraphrase's place among those of its phrase, in the order of the table.
    """

    key: Ids
    kind: NDArray[np.int8]
    rank: Ids
    units: int


@dataclass(frozen=True, slots=True)
class Occurrences:
    """``[o]`` occurrences by caption, place and length; those of caption ``c`` are ``start[c]:start[c + 1]``."""

    unit: Ids
    place: Ids
    length: Ids
    start: Ids


@dataclass(frozen=True, slots=True)
class _Spans:
    """Phrases of the table where they occur: the first word's place in the corpus ``[s]``, their length and state."""

    word: Ids
    length: Ids
    state: Ids


def related(
    corpus: Corpus, vocabulary: Vocabulary, arrays: Arrays | None
) -> tuple[Relations, Occurrences, Occurrences]:
    """All relations, and where their units occur in predictions and in references."""
    in_predictions, in_references = corpus.predicted[corpus.caption], corpus.referred[corpus.caption]
    words_p, words_r = np.unique(corpus.word[in_predictions]), np.unique(corpus.word[in_references])
    left, right, kind = _word_relations(vocabulary, words_p, words_r)
    rank = np.zeros(len(left), dtype=np.int64)
    spans = _Spans(*np.zeros((3, 0), dtype=np.int64))
    unit = np.zeros(0, dtype=np.int64)
    units = len(vocabulary)
    if arrays is not None:
        spans = _spans(corpus, vocabulary, arrays)
        *pairs, forward, ranks = _paraphrase_relations(
            arrays, spans.state[in_predictions[spans.word]], spans.state[in_references[spans.word]]
        )
        unit, units, (more_left, more_right) = _unit_numbers(corpus, vocabulary, spans, pairs)
        left, right = np.concatenate([left, more_left]), np.concatenate([right, more_right])
        kind = np.concatenate([kind, np.where(forward, FORWARD, BACKWARD).astype(np.int8)])
        rank = np.concatenate([rank, ranks])
    key = left * units + right
    order = np.lexsort((rank, kind, key))
    relations = Relations(key[order], kind[order], rank[order], units)
    several = np.flatnonzero(unit >= len(vocabulary))
    return (
        relations,
        _occurrences(corpus, spans, several, unit, np.isin(np.arange(units), left), corpus.predicted),
        _occurrences(corpus, spans, several, unit, np.isin(np.arange(units), right), corpus.referred),
    )


def _word_relations(vocabulary: Vocabulary, left: Ids, right: Ids) -> tuple[Ids, Ids, NDArray[np.int8]]:
    """Pairs of words of predictions and references, and how each is related."""
    exact = joined(vocabulary.hash[left], vocabulary.hash[right])
    stems = joined(vocabulary.stem_hash[left], vocabulary.stem_hash[right])
    synsets = []
    for side in (left, right):
        length = np.diff(vocabulary.synset_start)[side]
        synsets.append(
            (np.repeat(np.arange(len(side)), length), vocabulary.synset[ranges(vocabulary.synset_start[side], length)])
        )
    (left_word, left_synset), (right_word, right_synset) = synsets
    a, b = joined(left_synset, right_synset)
    alike = np.unique(left_word[a] * len(right) + right_word[b])
    found = [exact, stems, np.divmod(alike, max(len(right), 1))]
    kind = np.repeat(np.array([EXACT, STEM, SYNONYM], dtype=np.int8), [len(a) for a, _ in found])
    a, b = left[np.concatenate([a for a, _ in found])], right[np.concatenate([b for _, b in found])]
    there = (kind == EXACT) | (vocabulary.hash[a] != vocabulary.hash[b])
    return a[there], b[there], kind[there]


def _spans(corpus: Corpus, vocabulary: Vocabulary, arrays: Arrays) -> _Spans:
    """Every phrase of the corpus that is a path in the tree of the table."""
    word = vocabulary.table[corpus.word]
    end = np.repeat(corpus.start[1:], corpus.length)
    place = np.flatnonzero(word != UNKNOWN)
    state = np.zeros(len(place), dtype=np.int64)
    found: list[tuple[Ids, Ids, Ids]] = []
    for length in range(1, len(word) + 1):
        key = state.astype(np.uint64) << np.uint64(WORD_BITS) | word[place + length - 1].astype(np.uint64)
        state = _followed(arrays.edge, key)
        place, state = place[state > 0], state[state > 0]
        if not len(place):
            break
        found.append((place, np.full(len(place), length), state))
        more = place + length < end[place]
        more[more] = word[place[more] + length] != UNKNOWN
        place, state = place[more], state[more]
    return (
        _Spans(*(np.concatenate(column) for column in zip(*found, strict=True)))
        if found
        else _Spans(*np.zeros((3, 0), np.int64))
    )


def _followed(edge: NDArray[np.uint64], key: NDArray[np.uint64]) -> Ids:
    """The states that edges of these keys lead to; 0 where there is no such edge."""
    asked, back = np.unique(key, return_inverse=True)
    place = np.minimum(np.searchsorted(edge, asked), len(edge) - 1)
    return np.where(edge[place] == asked, place + 1, 0)[back]


def _paraphrase_relations(arrays: Arrays, predicted: Ids, referred: Ids) -> tuple[Ids, Ids, NDArray[np.bool_], Ids]:
    """Pairs of states of predictions and references one of which is a paraphrase of the other; whether forward; rank."""
    states_p, states_r = np.unique(predicted), np.unique(referred)
    from_r, to_p, rank_forward = _paraphrases(arrays, states_r, states_p)
    from_p, to_r, rank_backward = _paraphrases(arrays, states_p, states_r)
    forward = np.repeat([True, False], [len(to_p), len(from_p)])
    ranks = np.concatenate([rank_forward, rank_backward])
    return np.concatenate([to_p, from_p]), np.concatenate([from_r, to_r]), forward, ranks


def _paraphrases(arrays: Arrays, states: Ids, wanted: Ids) -> tuple[Ids, Ids, Ids]:
    """The pairs of the table from ``states`` to ``wanted`` states, and each pair's place among those of its first phrase."""
    row = np.minimum(np.searchsorted(arrays.row_state, states), len(arrays.row_state) - 1)
    row = row[arrays.row_state[row] == states]
    start = arrays.row_start[row]
    length = arrays.row_start[row + 1] - start
    target = arrays.target[ranges(start, length)].astype(np.int64)
    is_wanted = np.zeros(len(arrays.edge) + 1, dtype=np.bool_)
    is_wanted[wanted] = True
    there = np.flatnonzero(is_wanted[target])
    owner = np.repeat(np.arange(len(row)), length)[there]
    return arrays.row_state[row[owner]].astype(np.int64), target[there], there - (np.cumsum(length) - length)[owner]


def _unit_numbers(
    corpus: Corpus, vocabulary: Vocabulary, spans: _Spans, pairs: list[Ids]
) -> tuple[Ids, int, tuple[Ids, Ids]]:
    """The unit of each span (`UNKNOWN` where no relation names it), how many units there are, the pairs as units."""
    named = np.unique(np.concatenate(pairs))
    first = np.unique(spans.state, return_index=True)
    at = first[1][np.searchsorted(first[0], named)]
    is_word = spans.length[at] == 1
    number = np.where(is_word, corpus.word[spans.word[at]], len(vocabulary) + np.cumsum(~is_word) - 1)
    place = np.minimum(np.searchsorted(named, spans.state), max(len(named) - 1, 0))
    unit = (
        np.where(named[place] == spans.state, number[place], UNKNOWN)
        if len(named)
        else np.full(len(spans.state), UNKNOWN)
    )
    left, right = (number[np.searchsorted(named, side)] for side in pairs)
    return unit, len(vocabulary) + int((~is_word).sum()), (left, right)


def _occurrences(
    corpus: Corpus, spans: _Spans, several: Ids, unit: Ids, is_named: NDArray[np.bool_], captions: NDArray[np.bool_]
) -> Occurrences:
    """Where the named units occur in some captions."""
    word = np.concatenate([np.arange(len(corpus.word)), spans.word[several]])
    units = np.concatenate([corpus.word, unit[several]])
    length = np.concatenate([np.ones(len(corpus.word), dtype=np.int64), spans.length[several]])
    owner = corpus.caption[word]
    kept = np.flatnonzero(is_named[units] & captions[owner])
    kept = kept[np.lexsort((length[kept], word[kept]))]
    owner = owner[kept]
    start = np.searchsorted(owner, np.arange(len(corpus.start)))
    return Occurrences(units[kept], word[kept] - corpus.start[owner], length[kept], start)
