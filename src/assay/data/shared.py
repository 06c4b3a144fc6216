"""What samples share: all of their inputs, nearly all, or one picture in two splits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from assay.data.likeness import alike_pictures, alike_texts, plain
from assay.data.seen import Seen
from assay.types import Sample

SPLIT = "split"
STAYS = ("test", "test-concepts", "validation", "val", "dev")
"""Of two splits that share something, the one that stays as it is: what is measured on must not change."""

MEDIA = ("image", "audio", "video")
Key = tuple[str, ...]


def inputs_of(sample: Sample, seen: Seen) -> Key:
    """All inputs of a sample as one key."""
    held = seen.digests.get(sample.id, {})
    return tuple(held[modality] for modality in sorted(held))


def near_keys(samples: Sequence[Sample], seen: Seen) -> dict[str, str]:
    """For each input the first input that it is alike to, or itself: pictures by their looks, texts by their letters."""
    pictures = list(seen.thumbs)
    leader = {key: key for held in seen.digests.values() for key in held.values()}
    if pictures:
        thumbs = np.stack([seen.thumbs[key] for key in pictures])
        for a, b in alike_pictures(thumbs):
            if leader[pictures[b]] == pictures[b] and leader[pictures[a]] == pictures[a]:
                leader[pictures[b]] = pictures[a]
    texts = list(dict.fromkeys(str(s.inputs["text"]) for s in samples if "text" in s.inputs))
    first: dict[str, str] = {}
    for text in texts:
        leader[f"text:{text}"] = f"text:{first.setdefault(plain(text) or text, text)}"
    for a, b in alike_texts(texts):
        one, other = leader[f"text:{texts[a]}"], leader[f"text:{texts[b]}"]
        if leader[other] == other and leader[one] == one:
            leader[other] = leader[f"text:{texts[b]}"] = one
    return leader


def duplicates(samples: Sequence[Sample], seen: Seen, leader: Mapping[str, str]) -> Iterator[tuple[str, str, str, str]]:
    """``(sample, reason, detail, the earlier one)`` for every sample whose inputs an earlier one of its split has, exactly or nearly
    (``leader``: `near_keys`)."""
    exact: dict[tuple[str, Key], str] = {}
    near: dict[tuple[str, Key], str] = {}
    for sample in samples:
        split, key = sample.groups.get(SPLIT, ""), inputs_of(sample, seen)
        if not key:
            continue
        loose = tuple(leader[one] for one in key)
        if (earlier := exact.get((split, key))) is not None:
            yield sample.id, "duplicate", "", earlier
        elif (earlier := near.get((split, loose))) is not None:
            changed = [one.partition(":")[0] for one, other in zip(key, loose, strict=True) if one != other]
            yield sample.id, "near_duplicate", ", ".join(changed), earlier
        exact.setdefault((split, key), sample.id)
        near.setdefault((split, loose), sample.id)


def leaks(samples: Sequence[Sample], seen: Seen, leader: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """``(sample, detail, the other)`` for every sample of which a medium (without media: the text) is in another split too.

    Of two splits the sample in the one that is trained on is named; `STAYS` says which are not.
    """
    if len({sample.groups.get(SPLIT) for sample in samples} - {None}) < 2:
        return
    holders: dict[str, dict[str, str]] = defaultdict(dict)
    contents: list[tuple[Sample, str, str]] = []
    for sample in samples:
        held, split = seen.digests.get(sample.id, {}), sample.groups.get(SPLIT)
        if split is None:
            continue
        kinds = [modality for modality in MEDIA if modality in held] or list(held)
        for modality in kinds:
            contents.append((sample, modality, leader[held[modality]]))
            holders[leader[held[modality]]].setdefault(split, sample.id)
    named: set[str] = set()
    for sample, modality, key in contents:
        split = sample.groups[SPLIT]
        others = [other for other in holders[key] if other != split and rank(other) < rank(split)]
        if others and sample.id not in named:
            named.add(sample.id)
            first = min(others, key=rank)
            yield sample.id, f"{modality}: {split} and {first}", holders[key][first]


def rank(split: str) -> tuple[int, str]:
    """The order in which splits stay as they are."""
    return (STAYS.index(split) if split in STAYS else len(STAYS), split)


def conflicts(samples: Sequence[Sample], seen: Seen) -> Iterator[tuple[str, str, str]]:
    """``(sample, labels, the other)`` for samples with the same inputs and another label; both are named."""
    held: dict[Key, list[Sample]] = defaultdict(list)
    for sample in samples:
        if sample.target is not None and (key := inputs_of(sample, seen)):
            held[key].append(sample)
    for same in held.values():
        for sample in same:
            other = next((one for one in same if one.target != sample.target), None)
            if other is not None:
                yield sample.id, f"{sample.target!s:.60}, not {other.target!s:.60}", other.id
