"""What stays, what flips and what is followed, on models whose truth is known; transforms are repeatable and keep what they should."""

from __future__ import annotations

import numpy as np
import pytest
from probe_truths import CLASSES, bits, holds, image_bit, looks, probed, reads_text, says, text_bit

from assay.data.media import Audio, Image, Video
from assay.data.transforms.cross_donors import derangement, shuffle
from assay.data.transforms.cross_fill import constant, noise
from assay.data.transforms.cross_render import picture_of
from assay.data.transforms.same import KINDS, same
from assay.stats.streams import stream
from assay.types import Sample

BOTH = "modality=text+image"


def test_a_steady_model_never_flips_and_follows_what_it_reads():
    found = probed(reads_text, bits(lambda text, picture: text, 80), "consistency")
    assert found["flip_rate", "modality=image"].value == 0.0 and found["repeat_stability", "all"].value == 1.0
    assert found["following_rate", "conflict=text & follows=text"].value == 1.0
    assert found["following_rate", "conflict=image & follows=rest"].value == 1.0
    assert found["modality_preference", "modality=text"].value == 1.0
    assert found["modality_preference", "modality=image"].value == -1.0
    assert found["consistent_accuracy", "modality=image"].value == 1.0
    # Shouting is another text to this model, whose rule knows small letters alone: half of the answers change.
    assert found["flip_rate", "modality=text & change=recase"].value == 0.5
    assert found["flip_rate", "modality=text"].value == pytest.approx(0.5 / 3)
    assert found["worst_case_score", "modality=text"].value == 0.5


def test_rates_of_following_sum_to_one():
    model = says(lambda sample: text_bit(sample) if len(sample.id) and int(sample.id[-1]) % 2 else image_bit(sample))
    found = probed(model, bits(lambda text, picture: text, 120), "consistency")
    for modality in ("text", "image"):
        rates = [found["following_rate", f"conflict={modality} & follows={one}"] for one in (modality, "rest", "other")]
        assert sum(rate.value for rate in rates) == pytest.approx(1.0)


def test_agreement_between_modalities_alone():
    same_bits = probed(says(lambda s: text_bit(s) | image_bit(s)), bits(lambda text, picture: text, 200), "consistency")
    assert holds(same_bits["cross_modal_consistency", BOTH], 0.5) and holds(same_bits["cross_modal_kappa", BOTH], 0.0)
    blind = probed(looks, bits(lambda text, picture: text, 80), "consistency")
    assert blind["following_rate", "conflict=text & follows=text"].value == pytest.approx(0.5)


def test_a_model_that_goes_by_the_order_of_options_is_found():
    def first(samples, choices=None):
        return [(choices or CLASSES)[0]] * len(samples)

    found = probed(first, bits(lambda text, picture: text, 40), "consistency")
    assert found["option_order_consistency", "all"].value == 0.0


def test_a_model_without_memory_of_itself_is_unstable():
    calls = np.random.default_rng(0)

    def coin(samples, choices=None):
        return [CLASSES[int(calls.integers(2))] for _ in samples]

    found = probed(coin, bits(lambda text, picture: text, 200), "consistency")
    assert holds(found["repeat_stability", "all"], 0.5)


def contents():
    rng = np.random.default_rng(0)
    return {
        "text": "A small dog.",
        "image": Image(rng.integers(0, 256, (10, 60, 3), dtype=np.uint8)),
        "audio": Audio(rng.normal(0, 0.1, 400).astype(np.float32), given_rate_hz=8000),
        "video": Video(rng.integers(0, 256, (3, 10, 60, 3), dtype=np.uint8), given_fps=5.0),
    }


@pytest.mark.parametrize(("modality", "kind"), [(m, kind) for m, kinds in KINDS.items() for kind in kinds])
def test_changes_that_keep_the_meaning_change_something_and_nothing_else(modality, kind):
    sample = Sample("a", contents(), "dog")
    changed = same(kind, modality).transform(sample, np.random.default_rng(0))
    assert {m for m in sample.inputs if changed.inputs[m] is not sample.inputs[m]} == {modality}
    before, after = sample.inputs[modality], changed.inputs[modality]
    if modality == "text":
        assert before != after and before.lower().split() != []
        assert [w.strip(".") for w in before.lower().split()] == [w.strip(".") for w in after.lower().split()]
    else:
        a, b = before.load(), after.load()
        assert a.dtype == b.dtype and (a.shape != b.shape or not np.array_equal(a, b))
        assert modality == "audio" or float(np.abs(a.astype(float) - b).mean()) < 100


@pytest.mark.parametrize("modality", ["text", "image", "audio", "video"])
def test_noise_has_the_size_of_what_it_replaces_and_is_repeatable(modality):
    sample = Sample("a", contents(), "dog")
    condition = noise(modality, name=f"noise:{modality}")
    first, second = (condition.transform(sample, stream(3, "a")).inputs[modality] for _ in range(2))
    if modality == "text":
        assert first == second != sample.inputs["text"] and len(first.split()) == 3
    else:
        assert (
            np.array_equal(first.load(), second.load()) and first.load().shape == sample.inputs[modality].load().shape
        )
    flat = constant([modality], name="x").transform(sample, np.random.default_rng(0)).inputs[modality]
    assert flat == "" or len(np.unique(flat.load())) == 1


def test_derangements_leave_nobody_with_its_own():
    rng = np.random.default_rng(0)
    for sizes in ([1] * 9, [2, 2, 2], [5, 3, 2], [7, 2, 1], [1, 1]):
        groups = np.repeat(np.arange(len(sizes)), sizes).tolist()
        donors = derangement(groups, rng)
        assert all(groups[a] != groups[b] for a, b in enumerate(donors))
        if max(sizes) * 2 <= len(groups):
            assert sorted(donors) == list(range(len(groups)))
    assert derangement([0, 0], rng).tolist() == [-1, -1] and derangement([], rng).tolist() == []
    strata = ["x", "x", "y", "y", "z"]
    assert derangement(range(5), rng, strata=strata).tolist() == [1, 0, 3, 2, -1]


def test_a_modality_comes_from_the_same_sample_whatever_else_is_shuffled():
    samples = [Sample(str(i), {"text": f"t{i}", "image": f"i{i}"}) for i in range(9)]

    def rngs(*modalities):
        return {m: stream(0, m) for m in modalities}

    alone = shuffle(samples, rngs("text"), name="a")
    both = shuffle(samples, rngs("text", "image"), name="b")
    rng = np.random.default_rng(0)
    for sample in samples:
        one, two = alone.transform(sample, rng).inputs, both.transform(sample, rng).inputs
        assert one["text"] == two["text"] != sample.inputs["text"] and one["image"] == sample.inputs["image"]
        assert two["image"] != sample.inputs["image"] and two["text"][1:] != two["image"][1:]


def test_a_picture_of_a_text_shows_it_and_of_none_is_white():
    assert picture_of("a long text " * 30).load().min() < 64
    assert picture_of("").load().min() == 255
