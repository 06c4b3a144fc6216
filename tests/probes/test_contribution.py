"""On models whose truth is known, contribution, EMAP, MM-SHAP and the decomposition recover it within their intervals."""

from __future__ import annotations

import pytest
from probe_truths import adds, bits, holds, looks, probed, reads_text, xor


def test_a_model_that_reads_only_the_text():
    found = probed(reads_text, bits(lambda text, picture: text, seed=1), "contribution")
    assert found["shapley", "modality=image"].value == 0.0
    assert holds(found["shapley", "modality=text"], 0.5)
    assert found["shapley_missing", "modality=image"].value == 0.0
    assert found["perceptual_score", "modality=image"].value == 0.0
    assert holds(found["perceptual_score", "modality=text"], 0.5)
    assert holds(found["perceptual_score_task", "modality=text"], 1.0)
    assert found["shapley_interaction", "modality=text+image"].value == 0.0
    assert found["unimodal_score", "modality=text"].value == 1.0
    assert found["unimodal_gain", "over=text"].value == 0.0


def test_what_rests_on_the_text_alone_has_no_interaction():
    found = probed(reads_text, bits(lambda text, picture: text, 60), "mm_shap", "emap")
    assert found["mm_shap", "modality=text"].value == 1.0 and found["mm_shap", "modality=image"].value == 0.0
    assert found["emap_gap", "modality=text+image"].value == 0.0


def test_a_model_that_only_looks():
    found = probed(looks, bits(lambda text, picture: picture), "contribution", "blind")
    assert found["shapley", "modality=text"].value == 0.0
    assert holds(found["shapley", "modality=image"], 0.5)
    assert holds(found["blind_share", "modality=image"], 0.5) and found["blind_share", "modality=text"].value == 1.0
    assert holds(found["needs_share", "modality=image"], 0.5)


def test_exclusive_or_is_all_interaction():
    found = probed(xor, bits(lambda text, picture: text ^ picture), "contribution", "emap", "pid")
    assert holds(found["shapley", "modality=text"], 0.25) and holds(found["shapley", "modality=image"], 0.25)
    assert holds(found["shapley_interaction", "modality=text+image"], 0.5)
    assert holds(found["emap_gap", "modality=text+image"], 0.5)
    for of in ("labels", "answers"):
        assert holds(found["pid_synergistic", f"modality=text+image & of={of}"], 1.0, slack=1e-3)
        for modality, other in (("text", "image"), ("image", "text")):
            assert holds(found["pid_unique", f"modality={modality} & beside={other} & of={of}"], 0.0, slack=1e-3)
        assert holds(found["pid_redundant", f"modality=text+image & of={of}"], 0.0, slack=5e-3)
        assert found["pid_chance", f"modality=text+image & of={of}"].value < 0.02


def test_shapley_values_sum_to_what_is_to_be_shared():
    found = probed(adds, bits(lambda text, picture: text | picture), "contribution")
    for name, nothing in (("shapley", None), ("shapley_missing", 0.75)):
        parts = sum(found[name, f"modality={modality}"].value for modality in ("text", "image"))
        if nothing is not None:
            assert parts == pytest.approx(found["accuracy", "all"].value - nothing)


def test_an_additive_model_is_its_own_projection():
    found = probed(adds, bits(lambda text, picture: text, 60), "emap", "mm_shap")
    assert found["emap_gap", "modality=text+image"].value == 0.0
    shares = [found["mm_shap", f"modality={modality}"].value for modality in ("text", "image")]
    assert sum(shares) == pytest.approx(1.0) and shares[0] > shares[1] > 0


def test_too_few_samples_are_refused_by_what_is_needed():
    from assay import verbs

    run = verbs.evaluate(xor, bits(lambda a, b: a ^ b, 60), task="classification", probes=["pid", "emap"])
    assert run.manifest.probes == ("emap",) and run.complete
    assert run.manifest.skipped["pid"].startswith("400 samples that hold text and image are needed")
