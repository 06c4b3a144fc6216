"""The card: chapters with findings in words, figures on a track, what was not asked, a composite that shows its weights."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from assay import verbs
from assay.data.dataset import Dataset
from assay.data.media import Image
from assay.reporting import chapters, findings, html
from assay.reporting.composite import composite, weights
from assay.types import Estimate, Sample


@pytest.fixture(scope="module")
def run():
    samples = [
        Sample(f"s{i}", {"text": "ab"[i % 2], "image": Image(np.full((4, 4, 3), 9, np.uint8))}, "ab"[i % 2])
        for i in range(40)
    ]

    def reads(samples, choices=None):
        return [
            str(sample.inputs.get("text", "a")) if str(sample.inputs.get("text")) in "ab" else "a" for sample in samples
        ]

    data = Dataset("<b>letters</b>", samples, "letters", choices=("a", "b"))
    return verbs.evaluate(
        reads, data, task="classification", conditions=["clean"], probes=["blind", "contribution", "pid"]
    )


def test_the_page_tells_findings_and_what_was_not_asked(run):
    page = html.render(replace(verbs.report_content([run]), composite=composite(run, weights("accuracy=1"))))
    assert "What the model is made of" in page and "<b>letters" not in page
    assert "Without the picture, 100 % (100 to 100) of the score remains." in page
    assert "The text carries most" in page and 'class="track"' in page
    assert "Not asked" in page and "400 samples that hold text and image" in page
    assert "Weights and scales of the composite" in page
    # The figures of probes stand in their chapters, not among the task's.
    assert all(score.estimate.metric in run.manifest.metrics for score in verbs.report_content([run]).scores)


def test_every_probe_has_chapters_in_order_and_every_figure_is_in_one(run):
    found = list(chapters.chapters(run, "m"))
    assert [chapter.probe for chapter in found] == ["blind", "contribution"]
    shown = [line.estimate for chapter in found for group in chapter.groups for line in group.lines]
    assert len(shown) == sum(one.metric not in run.manifest.metrics for one in run.estimates)
    for chapter in found:
        assert [group.leads for group in chapter.groups] == sorted((g.leads for g in chapter.groups), reverse=True)
        for group in chapter.groups:
            ends = [x for line in group.lines for x in (line.low, line.value, line.high) if not math.isnan(x)]
            assert all(-1e-9 <= x <= 100 + 1e-9 for x in [group.zero, *ends])
    lines = "\n".join(chapters.told(run))
    assert "What share of the score is reached without looking? (blind)" in lines and "not asked: pid" in lines


def test_a_run_without_probes_has_no_card():
    plain = verbs.evaluate("baseline:chance", "digits:test", task="classification", limit=20)
    content = verbs.report_content([plain])
    assert not content.chapters and not content.unasked and "What the model is made of" not in html.render(content)


def test_the_composite_is_the_weighted_mean_of_what_it_shows(run):
    found = composite(run, weights("accuracy=1,blind_share=3"))
    share = np.mean([e.value for e in run.estimates if e.metric == "blind_share"])
    assert found.value == pytest.approx(0.25 * 1.0 + 0.75 * (1 - share))
    assert [term.weight for term in found.terms] == [0.25, 0.75] and found.terms[1].scale.startswith("1 - blind_share")
    assert found.low <= found.value <= found.high
    slow = composite(replace(run, timings={"p50_s": 0.1}), weights("latency=1"))
    assert slow.value == pytest.approx(0.5)
    assert math.isnan(composite(replace(run, timings={}), weights("latency=1,accuracy=1")).value)


@pytest.mark.parametrize("given", ["", "accuracy", "accuracy=", "accuracy=-1", "accuracy=nan", "a=1,a=2", "accuracy=0"])
def test_weights_that_cannot_be_read_are_refused(given):
    with pytest.raises(ValueError, match="cannot read the composite"):
        weights(given)


def test_an_unknown_figure_tells_its_neighbours(run):
    with pytest.raises(ValueError, match="no figure 'acuracy' for its composite: did you mean accuracy"):
        composite(run, weights("acuracy=1"))


def test_undefined_figures_say_nothing():
    nothing = [Estimate("blind_share", math.nan, math.nan, math.nan, 0, slice="modality=image")]
    assert [tell(nothing) for tell in findings.FINDINGS.values()] == [[]] * len(findings.FINDINGS)
