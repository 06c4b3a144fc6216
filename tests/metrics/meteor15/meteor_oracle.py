"""METEOR's alignment written the plain way, one pair and one partial alignment at a time, from dicts: slow, and easy to check."""

from dataclasses import dataclass

from assay.metrics.meteor15.stem import stem
from assay.metrics.meteor15.vocabulary import java_hash
from assay.metrics.meteor15.wordtables import all_synsets

BEAM = 40


@dataclass(frozen=True)
class PlainTables:
    """Synsets and irregular forms as dicts, a phrase's paraphrases in their order, the function words."""

    own: dict
    bases: dict
    paraphrases: dict
    function: frozenset


@dataclass(frozen=True)
class Match:
    """A span of the reference and one of the prediction."""

    stage: int
    place: int
    length: int
    own_place: int
    own_length: int

    @property
    def gain(self):
        weight = 2 if self.stage == 0 else 1
        return self.length * weight // 2 + self.own_length * weight // 2

    @property
    def words(self):
        return frozenset(range(self.place, self.place + self.length))

    @property
    def own_words(self):
        return frozenset(range(self.own_place, self.own_place + self.own_length))


def matches(prediction, reference, tables):
    """Lists of matches, one a place of the reference."""
    found = [[] for _ in reference]
    same = [java_hash(word) for word in prediction] == [java_hash(word) for word in reference]
    tests = [lambda a, b: java_hash(a) == java_hash(b)]
    if not same:
        tests.append(lambda a, b: java_hash(a) != java_hash(b) and java_hash(stem(a)) == java_hash(stem(b)))
    if not same and tables is not None:
        synsets = {word: all_synsets(word, tables.own, tables.bases) for word in (*prediction, *reference)}
        tests.append(lambda a, b: java_hash(a) != java_hash(b) and bool(synsets[a] & synsets[b]))
    for stage, test in enumerate(tests):
        for place, word in enumerate(reference):
            found[place] += [
                Match(stage, place, 1, own, 1) for own, other in enumerate(prediction) if test(other, word)
            ]
    if not same and tables is not None:
        for place, length, paraphrase in _phrases(reference, tables):
            for own in _places(paraphrase, prediction):
                found[place].append(Match(3, place, length, own, len(paraphrase)))
        for own, own_length, paraphrase in _phrases(prediction, tables):
            for place in _places(paraphrase, reference):
                found[place].append(Match(3, place, len(paraphrase), own, own_length))
    return found


def _phrases(words, tables):
    for place in range(len(words)):
        for length in range(1, len(words) - place + 1):
            for paraphrase in tables.paraphrases.get(tuple(words[place : place + length]), ()):
                yield place, length, paraphrase


def _places(phrase, words):
    return [at for at in range(len(words) - len(phrase) + 1) if tuple(words[at : at + len(phrase)]) == phrase]


@dataclass(frozen=True)
class Partial:
    gained: int
    chunks: int
    distance: int
    at: int
    last: int
    words: frozenset
    own_words: frozenset
    made: tuple

    def key(self):
        return -self.gained, self.chunks, self.distance

    def breaks(self, match=None):
        """A chunk ends unless the match goes on where the last one ended."""
        return int(self.last != -1 and (match is None or match.own_place != self.last))


def _with(partial, match, distance, take):
    taken = (
        (partial.words | match.words, partial.own_words | match.own_words)
        if take
        else (partial.words, partial.own_words)
    )
    return Partial(
        partial.gained + match.gain,
        partial.chunks + partial.breaks(match),
        distance,
        match.place + match.length,
        match.own_place + match.own_length,
        *taken,
        (*partial.made, match),
    )


def align(prediction, reference, tables):
    """The matches of the best alignment, and its chunks."""
    found = matches(prediction, reference, tables)
    every = [match for at in found for match in at]
    certain = {}
    for place, at in enumerate(found):
        if len(at) == 1 and not any(
            other is not at[0] and (other.words & at[0].words or other.own_words & at[0].own_words) for other in every
        ):
            certain[place] = at[0]
    used = (
        frozenset().union(*(m.words for m in certain.values())),
        frozenset().union(*(m.own_words for m in certain.values())),
    )
    beam = [Partial(0, 0, 0, 0, -1, *used, ())]
    for place, at in enumerate(found):
        grown = []
        for one in sorted(beam, key=Partial.key)[:BEAM]:
            if place in one.words:
                if place >= one.at:
                    match = certain[place]
                    one = _with(one, match, one.distance + abs(match.place - match.own_place), take=False)
                grown.append(one)
                continue
            distance = one.distance
            for match in at:
                if not (match.words & one.words or match.own_words & one.own_words):
                    grown.append(_with(one, match, distance, take=True))
                    distance += abs(match.place - match.own_place)
            grown.append(
                Partial(
                    one.gained, one.chunks + one.breaks(), distance, place + 1, -1, one.words, one.own_words, one.made
                )
            )
        beam = grown
    beam = sorted(beam, key=Partial.key)[:BEAM]
    best = min(beam, key=lambda one: (-one.gained, one.chunks + one.breaks(), one.distance))
    return best.made, best.chunks + best.breaks()


WEIGHTS = (1.0, 0.6, 0.8, 0.6)


def statistics(prediction, reference, tables):
    """Weighted matches and lengths of both sides, chunks, words matched."""
    made, chunks = align(prediction, reference, tables)
    function = frozenset() if tables is None else tables.function
    weigh = lambda word: 0.25 if word in function else 0.75  # noqa: E731
    matched = (
        sum(WEIGHTS[m.stage] * weigh(prediction[at]) for m in made for at in m.own_words),
        sum(WEIGHTS[m.stage] * weigh(reference[at]) for m in made for at in m.words),
    )
    counts = sum(m.own_length for m in made), sum(m.length for m in made)
    if counts == (len(prediction), len(reference)) and chunks == 1:
        chunks = 0
    return matched, (sum(map(weigh, prediction)), sum(map(weigh, reference))), chunks, sum(counts) / 2
