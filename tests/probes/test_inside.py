"""Parts of a net and the model's own words: what carries the answer is found where it is known."""

from __future__ import annotations

import numpy as np
import pytest
from probe_truths import bits, holds, image_bit, probed, text_bit

from assay import verbs
from assay.data.requests import DESCRIBE, ENGLISH, request
from assay.types import Sample

WORDS = request(DESCRIBE, ENGLISH)


def test_a_net_is_whole_behind_its_fusion_and_partial_before_it():
    run = verbs.evaluate(
        "assay:fused", "emoji:test-concepts[::4]", task="classification", conditions=["clean"], probes=["patching"]
    )
    found = {e.slice: e for e in run.estimates if e.metric == "patching_recovery"}
    assert found["site=fusion"].value == pytest.approx(1.0, abs=1e-4)
    assert found["site=head"].value == pytest.approx(1.0, abs=1e-4)
    assert 0 < found["site=norms.audio"].value < found["site=norms.text"].value < 1
    assert list(found)[-1] == "site=head"


def test_patching_leaves_the_net_as_it_was():
    model = verbs.load_model("assay:fused")
    samples = verbs.load_dataset("emoji:test-concepts").samples
    full = [s.shown() for s in samples if {"text", "image", "audio"} <= set(s.inputs)][:6]
    before = model.score(full, model.classes)
    parts = model.patch(full, full[::-1], model.classes)
    assert np.array_equal(model.score(full, model.classes), before)
    assert np.allclose(parts["head"], before[::-1], atol=1e-5)
    with pytest.raises(ValueError, match="as many donors as samples"):
        model.patch(full, full[:2], model.classes)


def describing(rule):
    """A model that says what colour it sees when asked to describe, and answers by a rule otherwise."""

    def model(samples: list[Sample], choices=None) -> list[str]:
        out = []
        for sample in samples:
            if sample.inputs.get("text") == WORDS:
                out.append("a bright red thing" if image_bit(sample) else "a dull grey thing")
            else:
                out.append("yes" if rule(sample) else "no")
        return out

    return model


def test_an_answer_by_its_own_words_is_indirect_and_one_by_sight_direct():
    data = bits(lambda text, picture: picture, 80)
    words = probed(describing(text_bit), data, "mediation")
    sight = probed(describing(image_bit), data, "mediation")
    part = "through=description"
    assert words["direct_effect", part].value == 0.0 and words["indirect_effect", part].value == -1.0
    assert sight["indirect_effect", part].value == 0.0 and sight["direct_effect", part].value == -1.0
    both = probed(describing(lambda s: text_bit(s) or image_bit(s)), data, "mediation")
    whole = (
        both["direct_effect", part].value
        + both["indirect_effect", part].value
        + both["mediated_interaction", part].value
    )
    assert both["total_effect", part].value == pytest.approx(whole) and holds(both["total_effect", part], -1.0)


def test_who_cannot_describe_is_skipped():
    run = verbs.evaluate(
        "assay:fused", "emoji:test-concepts[:30]", task="classification", conditions=["clean"], probes=["mediation"]
    )
    assert run.manifest.skipped == {"mediation": "the model 'fused' does not describe pictures"}
