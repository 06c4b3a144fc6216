"""METEOR of made-up captions beside the jar, in the hands of pycocoevalcap: tokenised captions to scores, start-up included.

Both sides get the same tokenised captions. The jar's time holds the start of its machine and the loading of its tables; ours holds
opening the index (built before, once) and stems that are not yet known.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from assay import metrics
from assay.metrics.captions import Captions
from assay.metrics.meteor15 import index, vocabulary
from assay.metrics.texts import paired_texts
from assay.metrics.vocabulary import encode_with
from benchmarks.pairing import Pairing, needs_java, pair

IMAGES, REFERENCES, TIMES = 5_000, 5, 10
SUBJECTS = [
    ["a man", "a person", "a guy in a blue shirt", "someone", "the young man"],
    ["a woman", "a lady with long hair", "the woman in a red dress", "a person", "a female"],
    ["two dogs", "a pair of dogs", "a black dog and a brown dog", "dogs", "two puppies"],
    ["a little girl", "a small child", "a young girl with a hat", "a kid", "the girl"],
    ["a group of people", "several people", "a crowd", "many people", "some men and women"],
    ["a cat", "a gray cat", "the kitten", "a large striped cat", "an animal"],
    ["a brown horse", "the horse", "a horse with a rider", "a pony", "an animal"],
]
ACTIONS = [
    ["is riding a bike", "rides a bicycle", "riding on a bike", "on a bicycle", "is biking"],
    ["is sitting on a bench", "sits on a wooden bench", "seated on the bench", "sitting down", "is on a bench"],
    ["are playing with a red ball", "play with a ball", "playing with a toy", "chase a ball", "run after a red ball"],
    ["is jumping in the air", "jumps high", "in mid air", "leaping into the air", "is in the air"],
    ["standing next to a train", "stand beside a train", "near a train", "waiting for the train", "is next to a train"],
    ["is eating a slice of pizza", "eats pizza", "eating some food", "having a piece of pizza", "with a pizza"],
    ["looking at a cell phone", "looks at the phone", "using a phone", "with a mobile phone", "talking on the phone"],
]
PLACES = [
    ["on the beach", "at the seashore", "near the ocean", "by the water", "in the sand"],
    ["in a park", "on the grass", "in a grassy field", "outside", "in the green park"],
    ["on a city street", "in the street", "down the road", "along the side of a road", "in the city"],
    [
        "in front of a building",
        "outside of a large building",
        "near the building",
        "by a house",
        "in front of the house",
    ],
    ["in the snow", "on a snowy hill", "down a snow covered slope", "on a mountain", "in the winter"],
    ["in a kitchen", "at a table", "in the room next to a table", "inside", "in front of a window"],
]
NAMES = ["", "", "", "on a sunny day", "at night", "with trees in the background", "while others look on", "together"]


def corpus(rng: np.random.Generator, images: int) -> tuple[list[str], list[list[str]]]:
    """Predictions and five references each: scenes in different words, some of the predictions of another scene."""
    scenes = [[part[rng.integers(len(part))] for part in (SUBJECTS, ACTIONS, PLACES)] for _ in range(images)]

    def said(scene: list[list[str]]) -> str:
        return " ".join([*(str(rng.choice(wordings)) for wordings in scene), str(rng.choice(NAMES))]).strip()

    other = rng.integers(images, size=images)
    predictions = [said(scene if rng.random() < 0.7 else scenes[i]) for scene, i in zip(scenes, other, strict=True)]
    return predictions, [[said(scene) for _ in range(REFERENCES)] for scene in scenes]


def tokenized(predictions: list[str], references: list[list[str]]) -> Captions:
    """The captions, whose words are tokens already."""
    flat = [text for one, several in zip(predictions, references, strict=True) for text in (one, *several)]
    return Captions(paired_texts(predictions, references), encode_with(str.split, flat))


def ours(captions: Captions) -> float:
    """The corpus's METEOR with nothing remembered from before."""
    index._opened.cache_clear()
    vocabulary._stem_hash.cache_clear()
    meteor = metrics.get("meteor")
    return float(meteor.aggregate(meteor.measure(captions), np.ones((1, len(captions))))[0])


def theirs(predictions: list[str], references: list[list[str]]) -> float:
    """The same of the jar."""
    needs_java()
    from pycocoevalcap.meteor.meteor import Meteor

    said = {row: [text] for row, text in enumerate(predictions)}
    return float(Meteor().compute_score(dict(enumerate(references)), said)[0])


def pairings() -> Iterator[Pairing]:
    """METEOR alone; then ours on ten times as much."""
    rng = np.random.default_rng(0)
    given = corpus(rng, IMAGES)
    captions = tokenized(*given)
    assert abs(ours(captions) - theirs(*given)) < 1e-9
    yield pair(
        f"METEOR, {IMAGES} images x {REFERENCES} references",
        lambda: ours(captions),
        "METEOR 1.5's jar",
        lambda: theirs(*given),
    )
    many = tokenized(*corpus(rng, IMAGES * TIMES))
    yield pair(f"METEOR, {IMAGES * TIMES} images x {REFERENCES} references", lambda: ours(many))
