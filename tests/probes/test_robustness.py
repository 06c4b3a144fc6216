"""What noise and missing modalities leave, and for whom a model is worse, where it is known."""

from __future__ import annotations

import numpy as np
import pytest
from probe_truths import bits, holds, looks, probed, reads_text, says, text_bit
from test_consistency import contents

from assay import verbs
from assay.data.dataset import Dataset
from assay.data.transforms.noisy import SEVERITIES, noisy, typos
from assay.stats.curves import area, mean_weights
from assay.stats.streams import stream
from assay.types import Sample


def test_golden_area():
    assert area([0.8, 0.75, 0.7, 0.6, 0.5], 0.1) == pytest.approx(0.27)
    assert mean_weights(6) @ np.ones(6) == pytest.approx(1.0)
    with pytest.raises(ValueError, match="at least two points"):
        area([1.0])


@pytest.mark.parametrize("modality", ["image", "audio", "video"])
def test_higher_severities_go_further_from_the_same_draws(modality):
    sample = Sample("a", contents(), "dog")
    before = sample.inputs[modality].load().astype(float)
    far = []
    for severity in SEVERITIES:
        first, second = (
            noisy(sample, stream(0, "x"), modality=modality, severity=severity).inputs[modality].load()
            for _ in range(2)
        )
        assert np.array_equal(first, second) and first.shape == before.shape
        far.append(float(np.abs(first - before).mean()))
    assert far == sorted(far) and far[0] > 0


def test_typing_errors_spare_short_words_and_first_letters():
    text = "it is a wonderful morning indeed " * 10
    wrong = [typos(text, np.random.default_rng(0), rate) for rate in (0.0, 0.1, 0.3)]
    assert wrong[0] == text and wrong[1] != text
    for line in wrong:
        assert [w[0] for w in line.split()] == [w[0] for w in text.split()] and line.count("it is a ") == 10
    changed = [sum(a != b for a, b in zip(line.split(), text.split(), strict=True)) for line in wrong]
    assert changed == sorted(changed)
    with pytest.raises(ValueError, match="severity of 1 to 5"):
        noisy(Sample("a", {"text": text}), np.random.default_rng(0), modality="text", severity=6)


def test_what_is_not_used_cannot_hurt_and_missing_is_exact():
    found = probed(looks, bits(lambda text, picture: picture, 80), "robustness")
    assert found["retained_ratio", "modality=text & corruption=noise"].value == 1.0
    # Without the picture half are right; at a rate of .5, given that one stays, the picture is missing in a third of cases.
    assert found["missing_score", "rate=0.5"].value == pytest.approx(1 - 0.5 / 3)
    assert found["missing_score", "rate=0"].value == 1.0
    rates = [found["missing_score", f"rate={k / 10:g}"].value for k in range(10)]
    assert rates == sorted(rates, reverse=True)
    assert found["missing_retained_ratio", "all"].value == pytest.approx(np.dot(mean_weights(10), rates))


def test_a_reader_of_small_print_suffers_from_typing_errors():
    found = probed(reads_text, bits(lambda text, picture: text, 80), "robustness")
    curve = [found["corrupted_score", f"modality=text & corruption=noise & severity={s}"].value for s in SEVERITIES]
    assert found["retained_ratio", "modality=text & corruption=noise"].value == pytest.approx(
        np.dot(mean_weights(6), [1.0, *curve])
    )


def grouped(n: int = 300) -> Dataset:
    plain = bits(lambda text, picture: text, n)
    samples = [
        Sample(s.id, s.inputs, s.target, groups={"place": ("north", "south", "far")[(i % 10 > 5) + (i % 100 == 9)]})
        for i, s in enumerate(plain.samples)
    ]
    return Dataset("grouped", samples, f"grouped-{n}", choices=plain.choices, slices=("place",))


def test_a_planted_bias_against_a_group_is_found_with_its_size():
    data = grouped()
    south = {s.id for s in data.samples if s.groups["place"] == "south"}
    unlucky = {s.id for s in data.samples if int(s.id[1:]) % 4 == 0} & south
    biased = says(lambda s: 1 - text_bit(s) if s.id in unlucky else text_bit(s))
    found = probed(biased, data, "fairness")
    share = len(unlucky) / len(south)
    assert found["group_score", "place=north"].value == 1.0
    assert found["worst_group_score", "group=place"].value == pytest.approx(1 - share)
    gap = found["group_gap", "group=place"]
    assert gap.value == pytest.approx(share) and holds(gap, share) and gap.low > 0
    assert ("group_score", "place=far") not in found  # three samples say nothing


def test_gaps_of_two_runs_are_compared():
    data = grouped()
    worse = says(lambda s: 1 - text_bit(s) if int(s.id[1:]) % 4 == 0 else text_bit(s))
    a, b = (
        verbs.evaluate(m, data, task="classification", conditions=["clean"], probes=["fairness"])
        for m in (reads_text, worse)
    )
    rows = {(row.metric, row.slice): row for row in verbs.compare(a, b).rows}
    assert rows["worst_group_score", "group=place"].verdict == "better"


def test_data_without_groups_is_skipped():
    run = verbs.evaluate(reads_text, bits(lambda text, picture: text, 40), task="classification", probes=["fairness"])
    assert "no group with two values of 30 samples" in run.manifest.skipped["fairness"]
