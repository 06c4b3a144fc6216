"""Pictures of cats and dogs in three art styles with what they are called: the data of the cats-and-dogs programs.

The words that give the answer away (cat, dog, kitten, poodle …) are replaced by ``animal`` in the text, so that it says
*how* the animal is ("black animal", "animal with wry smile") and not what.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

import assay

CLASSES = ("cat", "dog")
STYLES = ("fluent", "noto", "twemoji")
SPLITS = ("train", "validation", "test", "test-concepts")
KIND = re.compile(r"\b(cat|dog|poodle)\b")


def pets() -> tuple[NDArray[np.uint8], list[str], NDArray[np.int64], NDArray[np.int64], list[str]]:
    """Pictures ``uint8[n, 48, 48, 3]``, texts, classes, styles, and the name of each (for folds that share none)."""
    from PIL import Image

    pictures, texts, classes, styles, names = [], [], [], [], []
    seen = set()
    for split in SPLITS:
        for sample in assay.load_dataset(f"emoji:{split}").samples:
            name, style = sample.references[0], sample.groups["style"]
            found = KIND.search(name)
            if found is None or "hot dog" in name or (name, style) in seen:
                continue
            seen.add((name, style))
            pictures.append(np.array(Image.fromarray(sample.inputs["image"].load()).resize((48, 48))))
            texts.append(KIND.sub("animal", name))
            classes.append(CLASSES.index("cat" if found[0] == "cat" else "dog"))
            styles.append(STYLES.index(style))
            names.append(name)
    return np.stack(pictures), texts, np.array(classes), np.array(styles), names


def encoded(texts: list[str], length: int = 6) -> tuple[NDArray[np.int64], int]:
    """Words as numbers ``int64[n, length]``, 0 after the end, and how many numbers there are."""
    words = sorted({word for text in texts for word in text.split()})
    rows = np.zeros((len(texts), length), np.int64)
    for row, text in zip(rows, texts, strict=True):
        ids = [words.index(word) + 1 for word in text.split()][:length]
        row[: len(ids)] = ids
    return rows, len(words) + 1


def folds(names: list[str], classes: NDArray[np.int64], count: int = 5) -> NDArray[np.int64]:
    """The fold of each picture: all pictures of one name lie in one fold, both classes in every fold."""
    of_name: dict[str, int] = {}
    for label in range(len(CLASSES)):
        kinds = dict.fromkeys(name for name, own in zip(names, classes, strict=True) if own == label)
        of_name.update({name: i % count for i, name in enumerate(kinds)})
    return np.array([of_name[name] for name in names])
