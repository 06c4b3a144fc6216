"""Reports of real runs over a small data set with pictures, sounds, a film, two splits, and a broken picture."""

import dataclasses
import math

import numpy as np
import pytest

from assay.data.dataset import Dataset
from assay.data.media import Audio, Image, Video
from assay.evaluation.compare import compare
from assay.evaluation.evaluate import evaluate
from assay.evaluation.tasks import classification, retrieval
from assay.reporting import html, terminal
from assay.reporting.build import content
from assay.reporting.clips import KEPT_BYTES, clip
from assay.types import MediaError, Sample

CLASSES = ("bread & water", "animals", "stones")
N = 24


class Guesser:
    """Right on a share of the samples that its name decides; it looks at the pictures, so a broken one fails."""

    modalities = frozenset({"text", "image", "audio"})

    def __init__(self, name: str, skill: float, fingerprint: str = "") -> None:
        self.name, self.skill, self.fingerprint = name, skill, fingerprint or name

    def score(self, samples, choices):
        rows = [self._row(sample, choices) for sample in samples]
        return np.array(rows, dtype=np.float32)

    def _row(self, sample, choices):
        if "image" in sample.inputs:
            sample.inputs["image"].load()
        number = int(sample.id[1:])
        rng = np.random.default_rng([number, len(self.name), len(sample.inputs)])
        weights = rng.random(len(choices))
        weights[number % len(choices)] += self.skill * len(sample.inputs)
        return np.log(weights / weights.sum())

    def embed(self, samples, modality=None):
        rng = np.random.default_rng(0)
        centres = rng.normal(size=(N, 8))
        rows = []
        for sample in samples:
            number = int(sample.id[1:])
            noise = np.random.default_rng([number, len(modality or "")]).normal(size=8)
            rows.append(centres[number] + noise * (1 - self.skill))
        return (np.array(rows) / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def dataset(broken: int | None = None) -> Dataset:
    samples = []
    for i in range(N):
        rng = np.random.default_rng(i)
        picture = rng.integers(0, 255, (16, 16, 3), dtype=np.uint8)
        inputs = {"text": f"thing number {i}", "image": Image(b"broken" if i == broken else picture, f"s{i}.png")}
        if i % 2:
            inputs["audio"] = Audio(rng.random(400, dtype=np.float32) - 0.5, f"s{i}.wav", 8000)
        if i % 6 == 0:
            inputs["video"] = Video(rng.integers(0, 255, (3, 8, 8, 3), dtype=np.uint8), f"s{i}.webp", 5)
        groups = {"split": "test" if i < 16 else "test-concepts", "style": "a & b" if i % 3 else "plain"}
        samples.append(Sample(f"s{i}", inputs, CLASSES[i % 3], (f"thing {i}",), groups))
    return Dataset(
        "toys", samples, "f00d", CLASSES, ("style",), licence="CC0", description="test: known; test-concepts: new"
    )


@pytest.fixture(scope="module")
def runs():
    data = dataset()
    models = [Guesser("joint", 0.9), Guesser("fused", 0.1), Guesser("baseline:chance", 0.0)]
    found = [evaluate(m, classification(data), speed=False) for m in models]
    return [*found, evaluate(models[0], retrieval(data), speed=False)]


@pytest.fixture(scope="module")
def made(runs):
    return content(
        runs, comparisons=[compare(runs[0], runs[1])], datasets={"toys": dataset()}, commands=("assay demo",)
    )


def test_a_report_needs_a_run():
    with pytest.raises(ValueError, match="at least one run"):
        content([])


def test_splits_become_columns_and_the_whole_stays(made):
    assert [card.name for card in made.data] == ["toys:test", "toys:test-concepts", "toys (all)"]
    assert [card.n for card in made.data] == [16, 8, N]
    assert [card.description for card in made.data] == ["known", "new", ""]
    assert made.data[2].parts == ("toys:test", "toys:test-concepts") and made.data[2].licence == "CC0"
    assert not any("split=" in s.estimate.slice for s in made.scores)


def test_every_figure_is_the_runs_own(made, runs):
    for run, name in zip(runs, ("joint", "fused", "baseline:chance", "joint"), strict=True):
        head = run.headline
        shown = [
            s
            for s in made.scores
            if (s.model, s.task, s.data) == (name, run.manifest.task, "toys (all)")
            and (s.estimate.metric, s.estimate.slice, s.estimate.condition) == (head.metric, "all", "clean")
        ]
        assert len(shown) == 1 and shown[0].headline
        assert dataclasses.replace(shown[0].estimate) == head
    split = next(e for e in runs[0].estimates if e.slice == "split=test-concepts" and e.condition == "clean")
    (shown,) = [
        s
        for s in made.scores
        if (s.model, s.task, s.data) == ("joint", "classification", "toys:test-concepts")
        and (s.estimate.metric, s.estimate.slice, s.estimate.condition) == (split.metric, "all", "clean")
    ]
    assert (shown.estimate.value, shown.estimate.low, shown.estimate.n) == (split.value, split.low, split.n)


def test_metrics_bring_their_direction_and_bounds(made):
    rank = next(s for s in made.scores if s.estimate.metric == "median_rank")
    assert rank.better == "lower" and rank.bounds == (1.0, math.inf)


def test_baselines_are_known_by_their_name(made):
    assert [(card.name, card.role) for card in made.models] == [
        ("joint", "model"),
        ("fused", "model"),
        ("baseline:chance", "baseline"),
    ]
    assert all(not e.model.startswith("baseline") for e in made.examples)


def test_comparisons_keep_their_figures_and_name_the_winner(made, runs):
    rows = compare(runs[0], runs[1]).rows
    assert len(made.contrasts) == len(rows)
    for shown, row in zip(made.contrasts, rows, strict=True):
        assert (shown.difference, shown.p_holm, shown.n) == (row.difference, row.p_holm, row.n) or math.isnan(row.p)
        assert shown.winner == {"better": "joint", "worse": "fused"}.get(row.verdict, "")
        assert shown.data in {"toys:test", "toys:test-concepts", "toys (all)"} and shown.family == len(rows)


def test_a_comparison_of_other_runs_is_refused(runs):
    with pytest.raises(ValueError, match="belongs to no two of the runs"):
        content([runs[0], runs[2]], comparisons=[compare(runs[0], runs[1])])


def test_two_models_of_one_name_are_told_apart():
    data = dataset()
    same = [
        evaluate(Guesser("net", skill, f"print {skill}"), classification(data), speed=False) for skill in (0.9, 0.3)
    ]
    shown = content(same, comparisons=[compare(*same)])
    assert [card.name for card in shown.models] == ["net", "net (2)"]
    assert {(c.a, c.b) for c in shown.contrasts} == {("net", "net (2)")}
    assert {s.model for s in shown.scores} == {"net", "net (2)"}
    again = content([same[0], same[0]])
    assert [card.name for card in again.models] == ["net", "net, run 2"]


def test_examples_show_what_was_shown_and_what_came(made, runs):
    wrong = [e for e in made.examples if (e.task, e.kind, e.model) == ("classification", "worst", "fused")]
    right = [e for e in made.examples if (e.task, e.kind, e.model) == ("classification", "best", "joint")]
    assert wrong and right
    for e in (*wrong, *right):
        number = int(e.sample[1:])
        assert e.target == CLASSES[number % 3] and e.text == f"thing number {number}"
        assert [a.right for a in e.answers].count(True) == 1
        assert sum(a.score for a in e.answers) == pytest.approx(1, abs=1e-3)
        has_film = number % 6 == 0
        assert len(e.clips) == 1 + number % 2 + has_film, "the picture, the sound and the film where there are any"
        assert ("video: not shown to this model" in e.note) == has_film
        assert f"thing {number}" in e.clips[0].alt
        assert e.data == ("toys:test" if number < 16 else "toys:test-concepts")
    assert all(not e.answers[0].right and e.rank > 1 for e in wrong)
    assert all(e.answers[0].right and e.rank == 1 for e in right)


def test_retrieved_examples_show_query_and_finding(made):
    found = [e for e in made.examples if e.task.startswith("retrieval")]
    assert found
    for e in found:
        asked, _, sought = e.task.removeprefix("retrieval, ").partition(" → ")
        assert bool(e.text) == (asked == "text") and bool(e.clips) == (asked != "text")
        assert (e.answers[0].clip is None) == (sought == "text")
        assert e.rank >= 1 and "candidates" in e.note
        assert e.answers[0].right or e.answers[1].right


def test_without_its_data_set_a_run_is_shown_without_media(runs):
    shown = content(runs)
    assert shown.examples and not any(e.clips for e in shown.examples)
    assert all("not at hand" in e.note for e in shown.examples)
    assert shown.data[2].n == N


def test_a_broken_picture_makes_the_report_incomplete():
    data = dataset(broken=3)
    run = evaluate(Guesser("joint", 0.9), classification(data), speed=False)
    shown = content([run], datasets={"toys": data})
    (missing,) = shown.incomplete
    assert missing.failed == run.missing > 0 and missing.planned == run.planned
    assert all(f.sample == "s3" and "decoded" in f.reason for f in missing.failures)
    assert "INCOMPLETE" in terminal.render(shown) and "Incomplete." in html.render(shown)


def test_a_run_says_how_to_make_it_again(made):
    card = next(r for r in made.runs if (r.model, r.task) == ("joint", "classification"))
    assert card.command == "assay evaluate assay:joint toys --task classification"
    facts = {fact.name: fact.value for fact in card.facts}
    assert facts["data fingerprint"] == "f00d" and "assay" in facts["packages"] and facts["seed"] == "0"


def test_the_whole_way_to_page_and_terminal(made, tmp_path):
    page = html.write(made, tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count("data:image/") > 4 and page.count("data:audio/") > 1
    assert "by style" in page and "a &amp; b" in page
    assert "by direction" in page and "text→image" in page
    shown = terminal.render(made)
    assert "toys:test-concepts" in shown and "image alone" in shown


def test_large_media_become_small_clips():
    rng = np.random.default_rng(0)
    picture = clip(Image(rng.integers(0, 255, (900, 700, 3), dtype=np.uint8)), "noise")
    sound = clip(Audio(rng.random(480_000, dtype=np.float32) - 0.5, "noise", 16_000), "noise")
    film = clip(Video(rng.integers(0, 255, (60, 300, 300, 3), dtype=np.uint8), "noise", 10), "noise")
    assert len(picture.data) < 4 * KEPT_BYTES and picture.data[8:12] == b"WEBP"
    assert len(sound.data) < 500_000 and sound.data[:4] == b"OggS"
    assert len(film.data) < 2_000_000 and film.still[8:12] == b"WEBP"


def test_what_cannot_be_decoded_is_a_media_error():
    for media in (Image(b"no picture"), Audio(b"no sound"), Video(b"no film")):
        with pytest.raises(MediaError):
            clip(media, "x")
