"""A trained solver finds what the data gives away; samples that are answered blindly are named; a fair set has none."""

from __future__ import annotations

import numpy as np
from probe_truths import CLASSES, bits, holds, image_bit, looks, probed, says

from assay import verbs
from assay.data.dataset import Dataset
from assay.data.media import Image
from assay.probes.features import plain, words
from assay.probes.trained import cross_fitted, folds, standard
from assay.reporting import chapters
from assay.types import Sample

NINE = tuple("abcdefghi")


def test_a_leak_in_the_text_is_found_though_the_model_only_looks():
    leaky = probed(looks, bits(lambda text, picture: text & picture | text, 200), "blind")
    assert leaky["blind_score", "solver=trained on text"].value > 0.95
    assert holds(leaky["blind_score", "solver=trained on image"], 0.5)
    fair = probed(looks, bits(lambda text, picture: picture, 200), "blind")
    assert holds(fair["blind_score", "solver=trained on text"], 0.5)
    assert fair["blind_score", "solver=trained on image"].value > 0.95


def nine(n: int = 180) -> Dataset:
    samples = [
        Sample(f"s{i}", {"text": f"class {NINE[i % 9]}", "image": Image(np.full((4, 4, 3), 9, np.uint8))}, NINE[i % 9])
        for i in range(n)
    ]
    return Dataset("nine", samples, "nine", choices=NINE)


def test_samples_that_need_no_picture_are_named():
    def reads(samples, choices=None):
        return [str(s.inputs.get("text") or "class a")[-1] for s in samples]

    run = verbs.evaluate(reads, nine(), task="classification", conditions=["clean"], probes=["blind"])
    found = {(e.metric, e.slice): e for e in run.estimates}
    assert found["blind_answerable", "modality=image"].value > 0.95
    assert found["blind_answerable", "modality=text"].value < 0.2
    [chapter] = chapters.chapters(run, "m")
    listed = {one.part: one for one in chapter.listed}
    assert listed["modality=image"].count > 170 and listed["modality=image"].samples[0].startswith("s")
    assert len(listed["modality=image"].samples) == 40


def test_majority_and_chance():
    found = probed(says(image_bit), bits(lambda text, picture: int(text or picture), 80), "blind")
    assert found["blind_score", "solver=chance"].value == 0.5
    assert found["blind_score", "solver=majority"].value == 0.75
    assert found["blind_score", "solver=options only"].n == 80 and len(CLASSES) == 2


def test_features_of_every_modality_are_finite_and_alike_for_alike():
    from test_consistency import contents

    for modality, content in contents().items():
        both = plain([content, content], modality)
        assert np.isfinite(both).all() and np.array_equal(both[0], both[1]) and both.shape[0] == 2
    assert words(["", "..."]).sum() == 0 and words(["\ud800 a"]).any()


def test_no_unit_is_in_two_folds_and_nothing_is_learnt_from_noise():
    rng = np.random.default_rng(0)
    units = [f"u{i // 4}" for i in range(400)]
    labels = rng.integers(0, 2, 400)
    fold = folds(units, labels, rng)
    assert all(len({f for u, f in zip(units, fold, strict=True) if u == unit}) == 1 for unit in set(units))
    right = cross_fitted(standard(rng.normal(size=(400, 20))), labels, fold)
    assert abs(right.mean() - 0.5) < 0.12


def test_broken_pictures_are_missing_and_stop_nothing():
    plain_bits = bits(lambda text, picture: text, 460)
    samples = [
        s if i % 20 else Sample(s.id, {**s.inputs, "image": Image(b"not a picture")}, s.target)
        for i, s in enumerate(plain_bits.samples)
    ]
    data = Dataset("torn", samples, "torn", choices=CLASSES, checked=False)

    def reads(samples, choices=None):
        return [CLASSES["red" in s.inputs.get("text", "")] for s in samples]

    run = verbs.evaluate(reads, data, task="classification", conditions=["clean"], probes=["blind", "pid"])
    assert not run.complete and run.manifest.probes == ("blind", "pid")
    found = {(e.metric, e.slice): e for e in run.estimates}
    assert (
        found["blind_score", "solver=trained on image"].n == 437
        and found["blind_score", "solver=trained on text"].n == 460
    )
    assert found["pid_unique", "modality=text & beside=image & of=labels"].value > 0.95
