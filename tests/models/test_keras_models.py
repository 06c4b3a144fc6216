"""Keras 3 models taken as they are: the same numbers as Keras's own, from a file, on the command line, and fitted."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Picture

os.environ.setdefault("KERAS_BACKEND", "torch")
pytest.importorskip("keras", reason="the extra assay[keras] is not installed")

import keras

from assay import verbs
from assay.cli import main
from assay.data.media import Audio, Image
from assay.models.keras import KerasModel, load_keras
from assay.types import Embeds, HasFacts, MediaError, Sample, Scores

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")
CLASSES = ("cat", "dog", "car")
WORDS = ("red", "blue", "round")


def build(*, last: str | None = "softmax", outputs: int = 3, rescaling: bool = False) -> Any:
    keras.utils.set_random_seed(0)
    image = keras.Input((12, 10, 3), name="image")
    x = keras.layers.Rescaling(1 / 255)(image) if rescaling else image
    x = keras.layers.GlobalMaxPooling2D()(keras.layers.Conv2D(6, 3, activation="relu")(x))
    words = keras.Input((4,), dtype="int32", name="words")
    y = keras.layers.LSTM(5)(keras.layers.Embedding(8, 5, mask_zero=True)(words))
    both = keras.layers.Dense(7, activation="relu", name="both")(keras.layers.concatenate([x, y]))
    return keras.Model([image, words], keras.layers.Dense(outputs, activation=last)(both))


def picture(seed: int) -> Image:
    """Reddish, greenish or bluish."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 120, (20, 24, 3))
    pixels[..., seed % 3] += 120
    return Image(pixels.astype(np.uint8))


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    texts = ("Red, round!", "blue", "a red thing that is round", "blue red", "", "round")
    return [Sample(f"s{i}", {"image": picture(i), "text": text}, CLASSES[i % 3]) for i, text in enumerate(texts)]


def arrays(samples: list[Sample], scale: float = 1 / 255) -> list[np.ndarray]:
    seen = [Picture.fromarray(s.inputs["image"].load()).resize((10, 12), Picture.Resampling.BILINEAR) for s in samples]
    ids = [[2, 4, 0, 0], [3, 0, 0, 0], [1, 2, 1, 1], [3, 2, 0, 0], [0, 0, 0, 0], [4, 0, 0, 0]]
    return [np.stack([np.asarray(one, np.float32) for one in seen]) * np.float32(scale), np.array(ids)]


@pytest.mark.parametrize("last", ["softmax", None])
@pytest.mark.parametrize("rescaling", [True, False])
def test_scores_are_keras_own(last: str | None, rescaling: bool, samples: list[Sample]) -> None:
    net = build(last=last, rescaling=rescaling)
    model = KerasModel(net, classes=CLASSES, vocabulary=WORDS)
    assert isinstance(model, Scores) and isinstance(model, Embeds) and isinstance(model, HasFacts)
    assert model.modalities == {"image", "text"}
    out = net.predict(arrays(samples, 1.0 if rescaling else 1 / 255), verbose=0).astype(np.float64)
    expected = np.log(out) if last else out - np.log(np.exp(out).sum(1, keepdims=True))
    np.testing.assert_allclose(model.score(samples, CLASSES), expected, atol=1e-5)
    two = expected[:, [2, 0]]
    np.testing.assert_allclose(
        model.score(samples, ["car", "cat"]), two - np.log(np.exp(two).sum(1, keepdims=True)), atol=1e-5
    )
    assert model.facts().parameters == net.count_params()


def test_one_output_is_the_second_of_two_classes(samples: list[Sample]) -> None:
    for last in ("sigmoid", None):
        net = build(last=last, outputs=1)
        model = KerasModel(net, classes=("no", "yes"), vocabulary=WORDS)
        out = net.predict(arrays(samples), verbose=0)[:, 0]
        chance = out if last else 1 / (1 + np.exp(-out))
        np.testing.assert_allclose(
            np.exp(model.score(samples, ["no", "yes"])), np.stack([1 - chance, chance], 1), atol=1e-5
        )


def test_vectors_are_those_before_the_last_weights(samples: list[Sample]) -> None:
    net = build()
    model = KerasModel(net, classes=CLASSES, vocabulary=WORDS)
    inside = keras.Model(net.inputs, net.get_layer("both").output).predict(arrays(samples), verbose=0)
    expected = inside / np.linalg.norm(inside, axis=1, keepdims=True)
    np.testing.assert_allclose(model.embed(samples), expected, atol=1e-5)
    named = KerasModel(net, vocabulary=WORDS, layer="both")
    np.testing.assert_allclose(named.embed(samples), expected, atol=1e-5)
    alone = np.concatenate([model.embed([sample]) for sample in samples])
    np.testing.assert_allclose(alone, expected, atol=1e-5)
    seen = [Sample(s.id, {"image": s.inputs["image"]}) for s in samples]
    np.testing.assert_allclose(model.embed(seen), model.embed(samples, "image"), atol=1e-6)


def test_fitting_learns_what_is_there(samples: list[Sample]) -> None:
    model = KerasModel(build(), vocabulary=WORDS)
    before = model.fingerprint
    history = model.fit(samples * 4, epochs=30, batch=8, lr=0.03)
    assert history["loss"][-1] < 0.3 * history["loss"][0]
    assert model.classes == tuple(sorted(CLASSES)) and model.fingerprint != before
    best = model.score(samples, model.classes).argmax(1)
    assert [model.classes[i] for i in best] == [s.target for s in samples]


def test_a_loss_of_ones_and_zeros(samples: list[Sample]) -> None:
    net = build()
    net.compile("adam", "categorical_crossentropy")
    assert len(KerasModel(net, classes=CLASSES, vocabulary=WORDS).fit(samples, epochs=2)["loss"]) == 2


def test_from_a_file_on_the_command_line(
    samples: list[Sample], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = keras.Input((12, 12, 3))
    net = keras.Model(image, keras.layers.Dense(3, activation="softmax")(keras.layers.Flatten()(image)))
    net.save(tmp_path / "net.keras")
    for i in range(6):
        Picture.fromarray(picture(i).load()).save(tmp_path / f"{i}.png")
    rows = "".join(f"{i}.png,{CLASSES[i % 3]}\n" for i in range(6))
    (tmp_path / "labels.csv").write_text(f"image,label\n{rows}")
    spec = f"keras:{tmp_path / 'net.keras'}?labels=cat,dog,car"
    assert main(["evaluate", spec, str(tmp_path), "--json", "--out", str(tmp_path / "run")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["estimates"][0]["metric"] == "accuracy" and found["estimates"][0]["n"] == 6
    loaded = verbs.load_model(spec)
    assert loaded.fingerprint == load_keras(spec).fingerprint and loaded.name == "keras:net.keras"


def test_a_sound_is_a_wave_of_one_length() -> None:
    heard = keras.Input((800,), name="audio")
    model = KerasModel(keras.Model(heard, keras.layers.Dense(2)(heard)), classes=("a", "b"))
    sounds = [Audio(np.ones(n, np.float32), "", 16000) for n in (100, 2000)]
    assert model.score([Sample(str(i), {"audio": one}) for i, one in enumerate(sounds)], ["a", "b"]).shape == (2, 2)


def test_inputs_in_a_dict_find_their_way(samples: list[Sample]) -> None:
    net = build()
    image, words = net.inputs
    named = keras.Model({"words": words, "image": image}, net.output)
    expected = KerasModel(net, classes=CLASSES, vocabulary=WORDS).score(samples, CLASSES)
    found = KerasModel(named, classes=CLASSES, vocabulary=WORDS)
    np.testing.assert_allclose(found.score(samples, CLASSES), expected, atol=1e-6)
    assert found.embed(samples).shape == (6, 7)


def test_what_cannot_be_done_is_told(samples: list[Sample], tmp_path: Path) -> None:
    model = KerasModel(build(), classes=CLASSES, vocabulary=WORDS)
    with pytest.raises(ValueError, match="does not know the class 'dgo': did you mean dog"):
        model.score(samples, ["dgo"])
    with pytest.raises(ValueError, match=r"no names for its outputs: \?labels="):
        KerasModel(build(), vocabulary=WORDS).score(samples, ["cat"])
    with pytest.raises(ValueError, match="sample 'x' has nothing"):
        model.score([Sample("x", {})], CLASSES)
    with pytest.raises(ValueError, match="has no layer 'bath': did you mean both"):
        KerasModel(build(), vocabulary=WORDS, layer="bath").embed(samples)
    with pytest.raises(ValueError, match="vocabulary=FILE"):
        KerasModel(build(), classes=CLASSES).score(samples, CLASSES)
    with pytest.raises(ValueError, match="has no target"):
        model.fit([Sample("x", {"text": "red"})])
    with pytest.raises(MediaError, match="cannot be decoded"):
        model.score([Sample("x", {"image": Image(b"none")})], CLASSES)
    with pytest.raises(ValueError, match="what does its input 'features'"):
        features = keras.Input((4,), name="features")
        KerasModel(keras.Model(features, keras.layers.Dense(2)(features)))
    with pytest.raises(ValueError, match="there is no file nothing.keras"):
        load_keras("keras:nothing.keras")
    (tmp_path / "bad.keras").write_bytes(b"no zip")
    with pytest.raises(ValueError, match="cannot be read as a Keras model"):
        load_keras(f"keras:{tmp_path / 'bad.keras'}")
    with pytest.raises(ValueError, match="did you mean labels"):
        load_keras("keras:x.keras?lables=a")


def test_code_in_a_file_is_not_run(tmp_path: Path) -> None:
    image = keras.Input((4, 4, 3))
    net = keras.Model(image, keras.layers.Lambda(lambda x: x * 2)(image))
    net.save(tmp_path / "code.keras")
    with pytest.raises(ValueError, match="cannot be read as a Keras model"):
        load_keras(f"keras:{tmp_path / 'code.keras'}")
