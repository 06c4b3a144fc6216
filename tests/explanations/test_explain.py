"""Maps of models whose truth is known."""

from __future__ import annotations

import json

import numpy as np
import pytest

import assay
from assay.cli import main
from assay.data.media import Audio, Image, Video
from assay.explaining import Explaining, kept
from assay.explanations.explain import explain_samples
from assay.models.callable import as_model
from assay.types import Sample

CHOICES = ("no", "yes")


def weighs(rule, modalities=("text", "image", "audio", "video")):
    """A model whose log-odds of yes are a function of the sample."""

    def score(samples, choices) -> np.ndarray:
        odds = np.array([rule(sample) for sample in samples])
        with np.errstate(invalid="ignore"):
            return np.stack([-np.logaddexp(0, odds), -np.logaddexp(0, -odds)], axis=1)

    model = type("Rule", (), {"score": staticmethod(score), "modalities": modalities, "fingerprint": "rule"})
    return as_model(model(), name="rule")


def picture(sample: Sample) -> np.ndarray:
    return sample.inputs["image"].load().astype(float)  # type: ignore[union-attr]


def corner(sample: Sample) -> float:
    return float(picture(sample)[:28, :28].mean() - 150) / 20


def samples(n: int = 6) -> list[Sample]:
    rng = np.random.default_rng(0)
    found = []
    for i in range(n):
        pixels = rng.integers(140, 256, (56, 56, 3)).astype(np.uint8)
        found.append(Sample(f"s{i}", {"text": "a bright red thing", "image": Image(pixels)}))
    return found


@pytest.mark.parametrize("method", ["occlusion", "shapley"])
def test_a_model_that_looks_at_one_quadrant_has_its_map_there(method):
    found = explain_samples(weighs(corner), samples(2), choices=CHOICES, method=method)
    for one in found.samples:
        text, image = one.maps
        half = (image.grid.shape[0] + 1) // 2
        outside = np.abs(image.effects).sum() - np.abs(image.effects[:half, :half]).sum()
        assert outside == pytest.approx(0, abs=1e-5)
        assert text.share == pytest.approx(0, abs=1e-6) and image.share == pytest.approx(1)
        assert one.answer == "yes"


@pytest.mark.parametrize("method", ["occlusion", "shapley"])
def test_a_model_that_only_reads_leaves_the_picture_nothing(method):
    model = weighs(lambda sample: 3.0 * ("red" in str(sample.inputs["text"])) - 1)
    found = explain_samples(model, samples(3), choices=CHOICES, method=method)
    text, image = found.samples[0].maps
    assert image.share == 0 and text.share == 1
    assert text.grid.labels[int(text.effects.argmax())] == "red"
    assert text.effects.sum() == pytest.approx(3, abs=1e-5)
    assert {e.slice: e.value for e in found.estimates if e.metric == "modality_share"} == {
        "modality=text": 1.0,
        "modality=image": 0.0,
    }


def test_shapley_values_sum_to_the_whole_less_nothing():
    def odds(sample: Sample) -> float:
        return (picture(sample)[:14].mean() - 128) / 40 * (1 + len(str(sample.inputs["text"]).split()))

    (sample,) = samples(1)
    one = explain_samples(weighs(odds), [sample], choices=CHOICES, method="shapley").samples[0]
    nothing = Sample("n", {"text": "", "image": Image(np.full((56, 56, 3), 128, np.uint8))})
    assert sum(each.effects.sum() for each in one.maps) == pytest.approx(odds(sample) - odds(nothing), abs=1e-4)


def test_the_true_map_deletes_and_inserts_better_than_chance_and_its_interval_says_so():
    found = explain_samples(weighs(corner), samples(6), choices=CHOICES)
    gaps = {e.metric: e for e in found.estimates}
    assert gaps["deletion_gap"].low > 0 and gaps["insertion_gap"].low > 0
    assert gaps["deletion_gap"].n == 6


def test_a_constant_model_has_no_shares_and_no_gap():
    found = explain_samples(weighs(lambda sample: 0.5), samples(3), choices=CHOICES)
    shares = [e for e in found.estimates if e.metric == "modality_share"]
    assert all(np.isnan(e.value) and e.n_missing == 3 for e in shares)
    assert all(e.value == pytest.approx(0, abs=1e-9) for e in found.estimates if e.metric != "modality_share")


def test_a_sound_is_explained_by_its_band_and_stretch_and_a_film_by_its_frames():
    rate, t = 16_000, np.arange(16_000) / 16_000
    sound = (0.4 * np.sin(2 * np.pi * 3000 * t) * (t < 0.5) + 0.4 * np.sin(2 * np.pi * 100 * t)).astype(np.float32)
    film = np.zeros((14, 8, 8, 3), np.uint8)
    film[6:8] = 255

    def high(sample: Sample) -> float:
        wave = np.abs(np.fft.rfft(sample.inputs["audio"].load()))  # type: ignore[union-attr]
        return float(np.square(wave[2500:3500]).sum() / 1e6)

    one = explain_samples(
        weighs(high), [Sample("a", {"audio": Audio(sound, given_rate_hz=rate)})], choices=CHOICES, target="yes"
    ).samples[0]
    effects = one.maps[0].effects
    assert np.unravel_index(effects.argmax(), effects.shape)[0] == 3
    assert effects[3, :4].sum() > 0.9 * np.abs(effects).sum()

    def flash(sample: Sample) -> float:
        return float(sample.inputs["video"].load().max() == 255)  # type: ignore[union-attr]

    one = explain_samples(
        weighs(flash), [Sample("v", {"video": Video(film, given_fps=7)})], choices=CHOICES, target="yes"
    ).samples[0]
    assert one.maps[0].effects[0].round(5).tolist() == [0, 0, 0, 1, 0, 0, 0]


def test_a_model_that_writes_is_explained_by_what_changes_its_answer():
    def says(samples):
        return ["stop" if "red" in str(s.inputs["text"]) else "go" for s in samples]

    one = explain_samples(as_model(says), [Sample("a", {"text": "the red light"})]).samples[0]
    assert one.answer == "stop" and (one.maps[0].effects[0] > 0).tolist() == [False, True, False]


def test_what_cannot_be_explained_is_told():
    model = weighs(corner)
    with pytest.raises(ValueError, match="did you mean occlusion"):
        explain_samples(model, samples(1), choices=CHOICES, method="oclusion")
    with pytest.raises(ValueError, match="no samples"):
        explain_samples(model, [], choices=CHOICES)
    with pytest.raises(ValueError, match="give it choices"):
        explain_samples(model, samples(1))
    with pytest.raises(ValueError, match="none of the choices"):
        explain_samples(model, samples(1), choices=CHOICES, target="maybe")
    with pytest.raises(ValueError, match="got NaN"):
        explain_samples(weighs(lambda sample: float("nan")), samples(1), choices=CHOICES)
    with pytest.raises(ValueError, match="either data or one sample"):
        assay.explain(model)


def test_the_verb_writes_its_page_and_its_figures(tmp_path, capsys):
    arguments = ["explain", "assay:fused", "emoji:test-concepts", "--limit", "2", "--out", str(tmp_path), "--json"]
    assert main(arguments) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == json.loads((tmp_path / "explain.json").read_text("utf-8"))
    assert len(told["samples"]) == 2
    for one in told["samples"]:
        assert sum(each["share"] for each in one["maps"].values()) == pytest.approx(1)
    page = (tmp_path / "explain.html").read_text("utf-8")
    assert page.count("<img") >= 2 and "<script" not in page


@pytest.mark.parametrize(
    "inputs",
    [
        {"text": ""},
        {"text": "a \ud800 b"},
        {"image": Image(np.zeros((1, 500, 3), np.uint8))},
        {"audio": Audio(np.zeros(1, np.float32), given_rate_hz=16_000)},
        {"audio": Audio(np.zeros(100, np.float32), given_rate_hz=16_000)},
        {"video": Video(np.zeros((1, 4, 4, 3), np.uint8), given_fps=2)},
    ],
)
def test_the_smallest_contents_have_maps_and_a_page(inputs, tmp_path):
    found = explain_samples(weighs(lambda sample: 1.0), [Sample("a", inputs)], choices=CHOICES)
    assert kept(found, tmp_path).read_text("utf-8").endswith("</html>")
    assert np.isnan(found.samples[0].maps[0].share)


def test_a_task_says_what_is_explained():
    how = Explaining(task="captioning", limit=1)
    (one,) = assay.explain("assay:captioner", "emoji:test-concepts", how=how).samples
    assert one.unit == "likeness of the answer" and one.value == 1 and len(one.answer.split()) > 1
    how = Explaining(task="classification", limit=1)
    assert assay.explain("assay:fused", "emoji:test-concepts", how=how).samples[0].unit == "log-odds"
    with pytest.raises(ValueError, match="no single answer"):
        assay.explain("assay:aligned", "emoji:test-concepts", how=Explaining(task="retrieval"))
