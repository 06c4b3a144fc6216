"""What is nearly the same: pictures by a perceptual hash, texts by MinHash; candidates are found fast and then compared themselves.

Pictures: `TABLES` hashes of `BITS` bits each, the signs of random projections of the 8 x 8 thumbnail less the mean of all (random
hyperplanes; Charikar 2002). Two pictures that share a hash are compared, and are alike if their 16 x 16 thumbnails differ by at most
`SHADES` (root mean square, of 255): so does a picture from itself after resizing, compression or a little more light. (The usual hash
of 64 low frequencies was tried: in drawings many of these are nearly 0, and one copy in four was lost.)

Texts: sets of five letters after normalisation; alike if Jaccard's index is at least `OVERLAP`;
candidates by 128 minima in 32 bands (Broder 1997; Leskovec et al., Mining of Massive Datasets, ch. 3).
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

Pixels = NDArray[np.uint8]
Pairs = list[tuple[int, int]]

TABLES, BITS = 16, 14
SHADES = 9.0
OVERLAP = 0.8
THUMB = 16
SHINGLE = 5
MINIMA, BANDS = 128, 32
BLOCK = 4096
LARGEST_BUCKET = 200
"""So many in one bucket are all compared with one another; of larger buckets each is compared with the next ones only."""


def thumbnail(pixels: Pixels, size: int = THUMB) -> Pixels:
    """``uint8[size, size, 3]``: the picture squeezed into a square, each pixel a mean."""
    return np.asarray(Pillow.fromarray(pixels).resize((size, size), Pillow.Resampling.BOX))


def picture_hashes(thumbs: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """``uint32[n, TABLES]`` of thumbnails ``uint8[n, 16, 16, 3]``: pictures that are alike share most of their hashes."""
    small = thumbs.reshape(len(thumbs), 8, 2, 8, 2, 3).mean(axis=(2, 4), dtype=np.float32).reshape(len(thumbs), -1)
    small -= small.mean(axis=0)
    rng = np.random.default_rng(20_260_102)  # part of the definition
    planes = rng.standard_normal((small.shape[1], TABLES * BITS), dtype=np.float32)
    signs = (small @ planes > 0).reshape(len(thumbs), TABLES, BITS)
    hashes: NDArray[np.uint32] = (signs << np.arange(BITS)).sum(axis=2, dtype=np.uint32)
    return hashes


def alike_pictures(thumbs: NDArray[np.uint8]) -> Pairs:
    """The pairs of places of pictures, by their thumbnails ``uint8[n, 16, 16, 3]``, that are alike, the smaller place first."""
    if len(thumbs) < 2:
        return []
    hashes = picture_hashes(thumbs)
    shades = thumbs.reshape(len(thumbs), -1).astype(np.float32)
    pairs: set[tuple[int, int]] = set()
    for table in hashes.T:
        order = np.argsort(table, kind="stable")
        for places in np.split(order, np.flatnonzero(np.diff(table[order])) + 1):
            pairs.update(_close(places, shades))
    return sorted(pairs)


def _close(places: NDArray[np.intp], shades: NDArray[np.float32]) -> Iterator[tuple[int, int]]:
    for number, place in enumerate(places[:-1]):
        rest = places[number + 1 : number + 1 + LARGEST_BUCKET]
        apart = np.sqrt(np.square(shades[rest] - shades[place]).mean(axis=1))
        for other in rest[apart <= SHADES]:
            yield min(int(place), int(other)), max(int(place), int(other))


def plain(text: str) -> str:
    """A text without what does not matter: compatibility forms, case, white space, punctuation.

    >>> plain("  The CAT,  sat!")
    'the cat sat'
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join("".join(c if c.isalnum() else " " for c in folded).split())


def shingles(text: str) -> NDArray[np.uint64]:
    """The hashes of the distinct runs of five characters of a plain text, sorted; of a shorter text the whole."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    if len(codes) == 0:
        return np.zeros(0, np.uint64)
    length = min(SHINGLE, len(codes))
    found = np.zeros(len(codes) - length + 1, np.uint64)
    with np.errstate(over="ignore"):
        for at in range(length):
            found = found * np.uint64(1_000_003) + codes[at : len(codes) - length + 1 + at]
        # Mixed (splitmix64), so that neighbours in the alphabet are far apart.
        found = (found ^ (found >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        found = (found ^ (found >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.unique(found ^ (found >> np.uint64(31)))


def minima(found: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """``uint64[128]``: for each of 128 hash functions the least value over a set of shingles."""
    rng = np.random.default_rng(20_260_101)  # part of the definition, as the constants above
    a, b = (rng.integers(1, 1 << 63, MINIMA, dtype=np.uint64) | np.uint64(1) for _ in range(2))
    out = np.full(MINIMA, np.iinfo(np.uint64).max, np.uint64)
    with np.errstate(over="ignore"):
        for start in range(0, len(found), BLOCK):
            out = np.minimum(out, (found[start : start + BLOCK, None] * a + b).min(axis=0))
    return out


def jaccard(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> float:
    """What two sets share of what they hold together.

    >>> jaccard(shingles("a red apple"), shingles("a red apple"))
    1.0
    """
    shared = len(np.intersect1d(a, b, assume_unique=True))
    return shared / (len(a) + len(b) - shared) if len(a) + len(b) else 0.0


def alike_texts(texts: Sequence[str]) -> Pairs:
    """The pairs of places of texts that are alike but not the same to the letter after `plain`, the smaller place first."""
    whole = [plain(text) for text in texts]
    first: dict[str, int] = {}
    for place, text in enumerate(whole):
        if len(text) > SHINGLE:
            first.setdefault(text, place)
    places = list(first.values())
    sets = {place: shingles(whole[place]) for place in places}
    buckets: dict[tuple[int, bytes], list[int]] = defaultdict(list)
    for place in places:
        signature = minima(sets[place]).reshape(BANDS, -1)
        for band, rows in enumerate(signature):
            buckets[band, rows.tobytes()].append(place)
    candidates: set[tuple[int, int]] = set()
    for held in buckets.values():
        if len(held) <= LARGEST_BUCKET:
            candidates.update(combinations(held, 2))
        else:
            candidates.update((one, other) for step in (1, 2, 3) for one, other in zip(held, held[step:], strict=False))
    return sorted(pair for pair in candidates if jaccard(sets[pair[0]], sets[pair[1]]) >= OVERLAP)
