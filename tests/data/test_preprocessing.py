"""Preprocessing against the formulas written out again; what the transforms keep and what they refuse."""

import pickle

import numpy as np
import pytest
import scipy.fft
import scipy.signal
from PIL import Image as Pillow

from assay.data.media import Audio, Image, Video
from assay.data.transforms import augment, compose
from assay.data.transforms.preprocess_audio import (
    Mel,
    decibels,
    fit_length,
    level,
    log_mel,
    mel_filters,
    mel_power,
    mfcc,
    resample,
    to_hertz,
    to_mel,
    trim,
)
from assay.data.transforms.preprocess_image import FITS, centre_crop, normalised, resize, resized
from assay.data.transforms.preprocess_text import cut_words, normalise_text, tokens, vocabulary
from assay.data.transforms.preprocess_video import frame_places, frame_rate, sample_frames
from assay.types import Sample

RNG = np.random.default_rng(8)
PICTURE = RNG.integers(0, 256, (20, 30, 3), dtype=np.uint8)
FILM = RNG.integers(0, 256, (9, 6, 8, 3), dtype=np.uint8)
WAVE = (0.3 * np.sin(np.arange(8000) * 0.2) + 0.05 * RNG.standard_normal(8000)).astype(np.float32)


@pytest.fixture
def sample():
    inputs = {
        "image": Image(PICTURE, source="p"),
        "audio": Audio(WAVE, given_rate_hz=8000),
        "video": Video(FILM, given_fps=12.0),
        "text": "The red apple lies under a green tree",
    }
    return Sample("a", inputs, "food", groups={"split": "train"})


def rng(seed=0):
    return np.random.default_rng(seed)


# --- spectrograms


def reference_mel(wave, rate, n_fft, window, hop, bands, low, high, scale):
    """A mel spectrogram by scipy's short-time transform and triangles one frequency at a time."""
    wave = np.pad(wave.astype(np.float64), n_fft // 2, mode="reflect")
    hann = np.pad(
        scipy.signal.get_window("hann", window), ((n_fft - window) // 2, n_fft - window - (n_fft - window) // 2)
    )
    starts = range(0, len(wave) - n_fft + 1, hop)
    power = np.abs(scipy.fft.fft([wave[s : s + n_fft] * hann for s in starts])[:, : n_fft // 2 + 1]) ** 2

    def mel(f):
        if scale == "htk":
            return 2595 * np.log10(1 + f / 700)
        return 3 * f / 200 if f < 1000 else 15 + 27 * np.log(f / 1000) / np.log(6.4)

    grid = np.linspace(0, rate / 2, 400_001)
    table = np.array([mel(f) for f in grid[::100]])
    edges = np.interp(np.linspace(mel(low), mel(high), bands + 2), table, grid[::100])
    out = np.zeros((bands, len(power)))
    for b in range(bands):
        left, middle, right = edges[b : b + 3]
        for k in range(n_fft // 2 + 1):
            f = k * rate / n_fft
            height = max(0.0, min((f - left) / (middle - left), (right - f) / (right - middle)))
            out[b] += height * (2 / (right - left) if scale == "slaney" else 1) * power[:, k]
    return out


@pytest.mark.parametrize(
    "mel",
    [
        Mel(),
        Mel(rate_hz=8000, window=200, hop=80, n_fft=256, bands=20, low_hz=60, high_hz=3800, scale="htk"),
        Mel(rate_hz=22050, window=512, hop=128, bands=32),
    ],
)
def test_mel_spectrograms_are_those_of_the_formula(mel):
    expected = reference_mel(
        WAVE, mel.rate_hz, mel.size, mel.window, mel.hop, mel.bands, mel.low_hz, mel.top_hz, mel.scale
    )
    found = mel_power(WAVE, mel)
    assert found.shape == expected.shape == (mel.bands, 1 + len(WAVE) // mel.hop)
    assert np.allclose(found, expected, rtol=2e-3, atol=1e-5 * expected.max())


def test_whispers_input_and_cepstra():
    power = mel_power(WAVE)
    logs = np.log10(np.maximum(power.astype(np.float64), 1e-10))[:, :-1]
    assert np.allclose(log_mel(WAVE), (np.maximum(logs, logs.max() - 8) + 4) / 4, atol=1e-5)
    db = 10 * np.log10(np.maximum(power.astype(np.float64), 1e-10))
    db = np.maximum(db, db.max() - 80)
    n = len(db)
    basis = np.array([[np.cos(np.pi * k * (2 * i + 1) / (2 * n)) for i in range(n)] for k in range(13)])
    basis *= np.sqrt(2 / n)
    basis[0] /= np.sqrt(2)
    assert np.allclose(mfcc(WAVE), basis @ db, atol=1e-2)
    assert np.allclose(decibels(power), db, atol=1e-3)


def test_scales_are_inverses_and_filters_cover():
    hertz = np.linspace(0, 8000, 200)
    for scale in ("slaney", "htk"):
        assert np.allclose(to_hertz(to_mel(hertz, scale), scale), hertz)
    areas = mel_filters(Mel(bands=20, n_fft=4096)).sum(axis=1) * 16000 / 4096
    assert np.allclose(areas, 1, atol=0.02)
    assert mel_filters(Mel(bands=20, n_fft=4096, scale="htk")).max() <= 1


@pytest.mark.parametrize(
    "settings", [{"scale": "mell"}, {"bands": 0}, {"low_hz": 9000}, {"high_hz": 9000.0}, {"n_fft": 128}, {"hop": 0}]
)
def test_spectrograms_that_cannot_be(settings):
    with pytest.raises(ValueError):
        Mel(**settings)


def test_sounds_that_have_no_spectrogram():
    for bad in (np.zeros(0), np.zeros((2, 5)), np.float32(1)):
        with pytest.raises(ValueError, match="a sound"):
            mel_power(bad)
    assert np.isfinite(log_mel(np.zeros(1, np.float32))).all()
    with pytest.raises(ValueError, match="1 to 80 coefficients"):
        mfcc(WAVE, coefficients=81)


# --- sounds


def test_loudness_length_rate_and_ends(sample):
    wave = level(rms_db=-20)(sample, rng()).inputs["audio"].load()
    assert np.sqrt(np.mean(wave.astype(np.float64) ** 2)) == pytest.approx(0.1, rel=1e-4)
    assert np.abs(level(peak=0.5)(sample, rng()).inputs["audio"].load()).max() == pytest.approx(0.5)
    longer = fit_length(2)(sample, rng()).inputs["audio"]
    assert len(longer.load()) == 16000 and not longer.load()[8000:].any() and longer.rate_hz == 8000
    assert len(fit_length(0.5)(sample, rng()).inputs["audio"].load()) == 4000
    again = resample(16000)(sample, rng()).inputs["audio"]
    assert again.rate_hz == 16000 and len(again.load()) == 16000
    quiet = np.zeros(8000, np.float32)
    quiet[3000:5000] = 0.5
    trimmed = trim()(Sample("a", {"audio": Audio(quiet, given_rate_hz=8000)}), rng()).inputs["audio"].load()
    assert 2000 <= len(trimmed) <= 2320 and trimmed.any()
    silent = Sample("a", {"audio": Audio(np.zeros(100, np.float32), given_rate_hz=8000)})
    for transform in (trim(), level(peak=1.0), level(rms_db=-20), augment.hiss()):
        assert not transform(silent, rng()).inputs["audio"].load().any()


# --- pictures


def test_resizing(sample):
    for fit, shape in zip(FITS, [(10, 16), (10, 16), (10, 16), (11, 16)], strict=True):
        changed = resize((10, 16), fit)(sample, rng())
        assert changed.inputs["image"].load().shape[:2] == shape
        assert changed.inputs["video"].load().shape[0] == 9
    stretched = np.asarray(Pillow.fromarray(PICTURE).resize((16, 10), Pillow.Resampling.BICUBIC))
    assert np.array_equal(resized(PICTURE, 10, 16), stretched)
    padded = resized(PICTURE, 30, 30, "pad")
    assert (padded[:5] == 255).all() and np.array_equal(padded[5:25], PICTURE)
    assert np.array_equal(resized(PICTURE, 20, 20, "crop"), PICTURE[:, 5:25])
    assert np.array_equal(centre_crop(10)(sample, rng()).inputs["image"].load(), PICTURE[5:15, 10:20])
    assert centre_crop(40)(sample, rng()).inputs["image"].load().shape == (40, 40, 3)


def test_normalising():
    mean, std = (0.4, 0.5, 0.6), (0.2, 0.3, 0.4)
    expected = ((PICTURE / 255.0 - mean) / std).transpose(2, 0, 1)
    assert np.allclose(normalised(PICTURE, mean, std), expected, atol=1e-5)
    assert normalised(FILM).shape == (9, 3, 6, 8) and normalised(FILM).dtype == np.float32
    with pytest.raises(ValueError, match="three means"):
        normalised(PICTURE, (0.5,), (0.5,))
    with pytest.raises(ValueError, match="spreads above 0"):
        normalised(PICTURE, mean, (0.0, 1, 1))


# --- texts and films


def test_words_and_numbers():
    assert tokens("Don't stop — 1,000.5 km/h, 你好 😀_x") == [
        "Don't", "stop", "—", "1,000.5", "km", "/", "h", ",", "你", "好", "😀", "_", "x",
    ]  # fmt: skip
    assert "".join(tokens("a b.c")) == "ab.c" and tokens("") == []
    book = vocabulary(["b a", "a c", "c"], size=4)
    assert book.words == ("a", "c") and len(book) == 4
    assert book.ids(["c b a"], 2).tolist() == [[3, 1]]
    with pytest.raises(ValueError):
        vocabulary(["a"], size=2)
    with pytest.raises(ValueError):
        book.ids(["a"], 0)


def test_texts(sample):
    assert cut_words(2)(sample, rng()).inputs["text"] == "The red"
    assert cut_words(99)(sample, rng()).inputs["text"] == sample.inputs["text"]
    kept = normalise_text("NFC", lower=False)(Sample("a", {"text": "E\u0301 \t X"}), rng())
    assert kept.inputs["text"] == "\u00c9 X"


def test_frames(sample):
    film = sample_frames(3)(sample, rng()).inputs["video"]
    assert np.array_equal(film.load(), FILM[[1, 4, 7]]) and film.fps == pytest.approx(4)
    assert np.array_equal(sample_frames(12, "first")(sample, rng()).inputs["video"].load()[8:], FILM[[8] * 4])
    for how in ("middle", "ends", "random", "first"):
        places = frame_places(9, 9, how, rng())
        assert places.tolist() == list(range(9))
    random = [frame_places(100, 10, "random", rng(seed)) // 10 for seed in range(20)]
    assert all(places.tolist() == list(range(10)) for places in random)
    slower = frame_rate(6)(sample, rng()).inputs["video"]
    assert slower.fps == 6 and np.array_equal(slower.load(), FILM[[0, 2, 4, 6]])


# --- chance


RANDOM = {
    "crop": augment.crop(),
    "flip": augment.flip(1.0),
    "turn": augment.turn(),
    "colour": augment.colour(),
    "erase": augment.erase(),
    "drop_words": augment.drop_words(0.5),
    "swap_words": augment.swap_words(0.5),
    "gain": augment.gain(),
    "shift": augment.shift(),
    "speed": augment.speed(),
    "hiss": augment.hiss(),
    "silence": augment.silence(),
    "stretch_of_time": augment.stretch_of_time(),
    "sometimes": compose.sometimes(augment.flip(1.0), 1.0),
    "one_of": compose.one_of(augment.turn(), augment.gain(), augment.drop_words(0.5)),
    "chain": compose.chain(augment.crop(), augment.colour(), augment.gain()),
}


def content(sample):
    return {name: value if isinstance(value, str) else value.load() for name, value in sample.inputs.items()}


@pytest.mark.parametrize("name", RANDOM)
def test_the_generator_decides_everything(sample, name):
    """Same generator, same sample; another generator, sometimes another; nothing else of a sample changes."""
    transform = pickle.loads(pickle.dumps(RANDOM[name]))
    before = {k: v if isinstance(v, str) else v.copy() for k, v in content(sample).items()}
    one, again = (transform(sample, rng(3)) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(content(one).values(), content(again).values(), strict=True))
    assert (one.id, one.target, one.groups) == (sample.id, sample.target, sample.groups)
    assert all(np.array_equal(a, before[k]) for k, a in content(sample).items())  # its input is left alone
    changed = [
        key
        for seed in range(6)
        for key, value in content(transform(sample, rng(seed))).items()
        if not np.array_equal(value, before[key])
    ]
    assert changed
    bare = Sample("b", {})
    assert transform(bare, rng()).inputs == {}
    for value in content(one).values():
        if not isinstance(value, str):
            assert value.dtype in (np.uint8, np.float32) and len(value)


def test_what_each_change_keeps(sample):
    assert np.array_equal(augment.flip(1.0)(sample, rng()).inputs["image"].load(), PICTURE[:, ::-1])
    assert augment.flip(0.0)(sample, rng()) is sample
    assert augment.crop()(sample, rng()).inputs["image"].load().shape == PICTURE.shape
    assert augment.crop((1, 1), (1, 1))(sample, rng()).inputs["video"].load().shape == FILM.shape
    words = sample.inputs["text"].split()
    assert augment.drop_words(1.0)(sample, rng()).inputs["text"] in words
    assert sorted(augment.swap_words(1.0)(sample, rng()).inputs["text"].split()) == sorted(words)
    louder = augment.gain((6, 6))(sample, rng()).inputs["audio"].load()
    assert np.allclose(louder, np.clip(WAVE * 10 ** (6 / 20), -1, 1), atol=1e-6)
    faster = augment.speed((2, 2))(sample, rng()).inputs["audio"].load()
    assert np.allclose(faster, WAVE[::2])
    noise = augment.hiss((20, 20))(sample, rng()).inputs["audio"].load() - WAVE
    assert 10 * np.log10(np.mean(WAVE**2) / np.mean(noise**2)) == pytest.approx(20, abs=0.3)
    moved = augment.shift(0.01)(sample, rng(1)).inputs["audio"].load()
    assert any(
        np.array_equal(moved[by:], WAVE[: len(WAVE) - by]) or np.array_equal(moved[: len(WAVE) - by], WAVE[by:])
        for by in range(1, 81)
    )
    assert len(augment.stretch_of_time(1.0)(sample, rng()).inputs["video"].load()) == 9
    assert np.array_equal(augment.colour(0, 0, 0)(sample, rng()).inputs["image"].load(), PICTURE)
    covered = augment.erase((0.25, 0.25))(sample, rng()).inputs["image"].load()
    assert 0.2 < np.any(covered != PICTURE, axis=2).mean() <= 0.26


@pytest.mark.parametrize(
    "make",
    [
        lambda: resize(0),
        lambda: resize(8, "padd"),
        lambda: centre_crop(0),
        lambda: resample(0),
        lambda: level(),
        lambda: level(peak=1, rms_db=1),
        lambda: trim(0),
        lambda: fit_length(0),
        lambda: normalise_text("NFX"),
        lambda: cut_words(0),
        lambda: sample_frames(0),
        lambda: sample_frames(1, "last"),
        lambda: frame_rate(0),
        lambda: augment.crop((0.5, 1.5)),
        lambda: augment.crop((0.9, 0.5)),
        lambda: augment.flip(2),
        lambda: augment.turn(-1),
        lambda: augment.colour(2),
        lambda: augment.erase((0, 2)),
        lambda: augment.speed((0, 1)),
        lambda: augment.gain((5, -5)),
        lambda: augment.silence(float("nan")),
        lambda: compose.one_of(),
        lambda: compose.sometimes(augment.flip(), -0.1),
    ],
)
def test_settings_that_cannot_be(make):
    with pytest.raises(ValueError):
        make()
