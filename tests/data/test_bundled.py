"""The bundled data sets keep what they promise: splits, twins, budgets, bytes that decode."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from assay.data import bundled
from assay.data.bundled import emoji
from assay.data.dataset import Dataset
from assay.data.media import Audio, Image, Video

FILES = Path(emoji.__file__).parent / "files"
MB = 1_000_000
BUDGETS = {
    "emoji/pictures.parquet": 13 * MB,
    "emoji/twins.parquet": 5 * MB,
    "emoji/animations.parquet": 6 * MB,
    "emoji/speech.parquet": 9 * MB,
    "emoji/names.parquet": 3 * MB,
    "easy-vqa": 4 * MB,
    "digits": MB // 2,
    ".": 40 * MB,
}
SPLITS = tuple(emoji.SPLITS)


@cache
def load(name: str) -> Dataset:
    return bundled.load(name)


def values(split: str, group: str) -> set[str]:
    return {sample.groups[group] for sample in load(f"emoji:{split}").samples if group in sample.groups}


def size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else sum(p.stat().st_size for p in path.rglob("*") if p.is_file())


@pytest.mark.parametrize("part", BUDGETS)
def test_every_part_is_within_its_budget(part: str) -> None:
    assert 0 < size(FILES / part) <= BUDGETS[part]


# --- emoji: who is where


def test_every_sample_has_a_name_of_its_own() -> None:
    for name in ("emoji:all", "easy-vqa:all", "digits:all"):
        ids = Counter(sample.id for sample in load(name).samples)
        assert len(ids) == len(load(name)) and len(ids) > 0


def test_no_family_straddles_what_is_known_and_what_is_not() -> None:
    train, validation, unseen = (values(split, "family") for split in ("train", "validation", "test-concepts"))
    assert not train & validation and not train & unseen and not validation & unseen
    assert values("test", "concept") == values("train", "concept")
    assert values("languages", "concept") <= values("train", "concept")


def test_no_picture_of_an_unseen_concept_is_in_another_split() -> None:
    held = {split: {bytes(s.inputs["image"].content) for s in load(f"emoji:{split}").samples} for split in SPLITS[:4]}
    for split in ("validation", "test-concepts"):
        for other in set(held) - {split}:
            assert not held[split] & held[other]
    assert not held["train"] & held["test"]


def test_unseen_concepts_are_about_an_eighth_of_every_category() -> None:
    families = defaultdict(lambda: defaultdict(set))
    for split in ("train", "validation", "test-concepts"):
        for sample in load(f"emoji:{split}").samples:
            families[sample.groups["category"]][split].add(sample.groups["family"])
    assert len(families) == len(load("emoji").choices) == 9
    for parts in families.values():
        total = sum(len(held) for held in parts.values())
        assert abs(len(parts["test-concepts"]) / total - 0.12) < 0.03
        assert abs(len(parts["validation"]) / total - 0.08) < 0.03


def test_the_style_and_the_voice_of_test_are_not_in_train_or_validation() -> None:
    assert values("test", "style") == {"twemoji"}
    assert values("train", "style") == values("validation", "style") == {"fluent", "noto"}
    voices = {split: values(split, "voice") - {"none"} for split in ("train", "validation", "test", "test-concepts")}
    assert len(voices["train"]) == 6 and len(voices["validation"]) == len(voices["test"]) == 1
    assert not voices["train"] & voices["test"] and not voices["train"] & voices["validation"]
    assert not voices["validation"] & voices["test"]
    assert voices["test-concepts"] == set.union(*voices.values())


def test_every_concept_has_its_samples() -> None:
    train = Counter(sample.groups["concept"] for sample in load("emoji:train").samples)
    assert set(train.values()) == {3} and len(train) > 1400
    for split, styles in (("validation", 2), ("test", 1), ("test-concepts", 3)):
        counts = Counter(sample.groups["concept"] for sample in load(f"emoji:{split}").samples)
        assert set(counts.values()) == {styles}
    spoken = {s.groups["concept"] for s in load("emoji:train").samples if "audio" in s.inputs}
    assert len(spoken) >= 1000


def test_at_least_two_hundred_emoji_move_and_twenty_languages_name_them() -> None:
    moving = {s.groups["concept"] for s in load("emoji:all").samples if "video" in s.inputs}
    assert len(moving) >= 200
    languages = Counter(sample.groups["language"] for sample in load("emoji:languages").samples)
    assert len(languages) >= 20 and set(languages.values()) == {60} and "en" not in languages and "zh" in languages
    assert emoji.names("zh")["1f34e"] == "红苹果"


def test_a_sample_is_what_it_says() -> None:
    apples = {s.id: s for s in load("emoji:all").samples if s.groups["concept"] == "1f34e"}
    apple = next(s for s in apples.values() if s.groups["style"] == "noto" and s.groups["voice"] != "none")
    assert apple.inputs["text"] == "red apple" and apple.references[0] == "red apple" and apple.target == "food & drink"
    assert apple.id == f"1f34e/noto/{apple.groups['voice']}"
    pixels = apple.inputs["image"].load()
    assert pixels.shape == (64, 64, 3) and pixels[0, 0].min() > 250
    red, green, blue = pixels[28:44, 20:44].mean(axis=(0, 1))
    assert red > 2 * green and red > 2 * blue


def test_keywords_take_the_place_of_the_name() -> None:
    shown = load("emoji").for_task("classification")
    named = load("emoji")
    for sample, before in zip(shown.samples, named.samples, strict=True):
        words = sample.inputs.get("text", "keyword").split(" | ")
        assert before.inputs["text"] not in words and all(words)
        assert [m for m in sample.inputs if m != "text"] == [m for m in before.inputs if m != "text"]
    assert load("emoji").for_task("zeroshot").samples[0].inputs["text"] == shown.samples[0].inputs["text"]
    assert load("emoji").for_task("retrieval").samples[0].inputs["text"] == named.samples[0].inputs["text"]
    assert sum("text" in s.inputs for s in shown.samples) > 0.95 * len(shown)


# --- emoji: twins


@cache
def twins() -> dict[str, list]:
    families = defaultdict(list)
    for sample in load("emoji:twins").samples:
        families[sample.groups["twin"]].append(sample)
    return families


def test_twins_differ_in_one_group_alone() -> None:
    kinds = Counter()
    for twin, members in twins().items():
        kind = twin.rsplit("/", 1)[1]
        kinds[kind] += 1
        varied, size = {"tone": ("skin_tone", 5), "gender": ("gender", 3)}[kind]
        kept = {"tone": "gender", "gender": "skin_tone"}[kind]
        assert len({s.groups[varied] for s in members}) == len(members) == size
        for group in (kept, "style", "family", "category"):
            assert len({s.groups[group] for s in members}) == 1
        assert len({s.inputs["text"] for s in members}) == 1
        assert len({bytes(s.inputs["image"].content) for s in members}) == size
    assert kinds["tone"] > 350 and kinds["gender"] > 200


def test_skin_tones_go_from_light_to_dark() -> None:
    tones = ("light", "medium-light", "medium", "medium-dark", "dark")
    for twin, members in twins().items():
        if not twin.endswith("/tone"):
            continue
        seen = {s.groups["skin_tone"]: s.inputs["image"].load().mean() for s in members}
        light = [seen[tone] for tone in tones]
        assert light[2] > light[3] > light[4], twin
        assert light[1] > light[2], twin  # one package has these two under each other's name


# --- the bytes


def test_media_decode_to_what_types_promise() -> None:
    rng = np.random.default_rng(3)
    samples = load("emoji:all").samples
    for number in rng.choice(len(samples), 150, replace=False):
        for modality, content in samples[number].inputs.items():
            if isinstance(content, Image):
                assert content.load().shape == (64, 64, 3) and content.bytes_and_mime()[1] == "image/webp"
            elif isinstance(content, Audio):
                sound = content.load()
                assert content.rate_hz == 16_000 and 0.3 < len(sound) / 16_000 < 2.5
                assert 0.05 < np.sqrt(np.mean(sound**2)) < 0.2 and content.bytes_and_mime()[1] == "audio/ogg"
            else:
                assert modality == "text" or isinstance(content, Video)


def test_films_have_their_frames_and_move() -> None:
    films = [s.inputs["video"] for s in load("emoji:all").samples if "video" in s.inputs]
    for film in films[::12]:
        frames = film.load()
        assert frames.shape == (12, 64, 64, 3) and frames.dtype == np.uint8
        assert (frames[0] != frames[6]).any()
        again = Video(film.content)
        assert 1 < film.fps < 30 and abs(again.fps - film.fps) < 0.01


def test_voices_sound_different() -> None:
    """The mean spectra of two voices that say the same words differ more than those of one voice's two halves."""
    spectra = defaultdict(list)
    for sample in load("emoji:train").samples[:600]:
        if "audio" in sample.inputs:
            sound = sample.inputs["audio"].load()
            frames = sound[: len(sound) // 512 * 512].reshape(-1, 512)
            spectra[sample.groups["voice"]].append(np.log(np.abs(np.fft.rfft(frames)) + 1e-3).mean(axis=0))
    halves = {v: (np.mean(s[::2], axis=0), np.mean(s[1::2], axis=0)) for v, s in spectra.items()}
    assert len(halves) == 6
    for voice, (first, second) in halves.items():
        own = np.abs(first - second).mean()
        assert all(np.abs(first - other[1]).mean() > own for name, other in halves.items() if name != voice)


def test_a_split_loads_at_once() -> None:
    """In a process of its own, without the imports, the best of three."""
    program = "from assay.data import bundled; import time; t = time.process_time(); bundled.load('emoji:train'); "
    program += "print(time.process_time() - t)"
    seconds = [float(subprocess.check_output([sys.executable, "-c", program])) for _ in range(3)]
    assert min(seconds) < 0.5, f"{min(seconds)} s of processor time"


def test_the_fingerprint_tells_splits_apart_and_stays() -> None:
    prints = {name: bundled.load(name).fingerprint for name in ("emoji", "emoji:test", "easy-vqa", "digits:train")}
    assert len(set(prints.values())) == 4
    assert prints["emoji"] == load("emoji").fingerprint


# --- the small ones


def test_easy_vqa_is_whole() -> None:
    train, test = load("easy-vqa:train"), load("easy-vqa:test")
    assert (len(train), len(test)) == (38_575, 9_673) and len(test.choices) == 13
    assert (
        len({s.groups["image"] for s in train.samples}) == 4000
        and len({s.groups["image"] for s in test.samples}) == 1000
    )
    assert {s.target for s in train.samples} == set(test.choices)
    assert sum(s.groups["answer_type"] == "yes/no" for s in test.samples) == 7136
    first = test.samples[0]
    assert first.inputs["text"] == "what is the red shape?" and first.target == "triangle"
    assert first.inputs["image"].load().shape == (64, 64, 3)


def test_easy_vqa_answers_what_the_picture_shows() -> None:
    colours = {"red": (1, 0, 0), "green": (0, 1, 0), "blue": (0, 0, 1)}
    asked = [s for s in load("easy-vqa:test").samples if s.inputs["text"] == "what color is the shape?"]
    right = 0
    chosen = [s for s in asked if s.target in colours][:60]
    for sample in chosen:
        pixels = sample.inputs["image"].load().reshape(-1, 3).astype(int)
        shape = pixels[np.ptp(pixels, axis=1).argmax()]
        right += colours[sample.target][int(shape.argmax())] == 1
    assert len(chosen) > 10 and right == len(chosen)


def test_digits_are_scikit_learns() -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    truth = datasets.load_digits()
    samples = load("digits:all").samples
    assert len(samples) == 1797
    for sample in samples[::50]:
        number = int(sample.id.removeprefix("digit-"))
        assert sample.target == str(truth.target[number])
        assert np.array_equal(np.round(sample.inputs["image"].load()[..., 0] / 255 * 16), truth.images[number])
    shares = Counter(s.target for s in load("digits:test").samples)
    assert all(abs(count / np.sum(truth.target == int(digit)) - 0.2) < 0.01 for digit, count in shares.items())


# --- names


def test_unknown_names_tell_their_neighbours() -> None:
    for name, near in (("emojis", "emoji"), ("emoji:tset", "test"), ("digit", "digits"), ("emoji:", "train")):
        with pytest.raises(ValueError, match=near):
            bundled.load(name)
    with pytest.raises(ValueError, match="easy-vqa"):
        bundled.splits("easy_vqa")


def test_the_default_is_what_a_set_is_measured_by() -> None:
    assert {s.groups["split"] for s in load("emoji").samples} == {"test", "test-concepts"}
    assert set(bundled.names()) == {"emoji", "easy-vqa", "digits"}
    assert all(bundled.splits(name) for name in bundled.names())
    started = time.perf_counter()
    bundled.names()
    assert time.perf_counter() - started < 0.1
