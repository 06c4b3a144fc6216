"""Keras 3 models taken as they are: ``keras:FILE.keras?labels=cat,dog``, or a model in hand as ``KerasModel(net, classes=…)``.

Which input takes what is read from its name (``image``, ``text`` or ``words``, ``audio``), else from its shape. Pictures are resized to the
input's size and given as 0 … 255 where the net rescales by itself (a `Rescaling` or `Normalization` layer), else as 0 … 1;
texts, where the net reads numbers, are numbered by a vocabulary as `TextVectorization` does (0 nothing, 1 unknown); sounds are waves at
16 kHz, cut or filled with zeros. ``prepare`` says it otherwise. An input whose modality a sample lacks is zeros.

Keras needs a backend: where none was chosen (``KERAS_BACKEND``) and TensorFlow is not installed, it is torch.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture

from assay.catalog import nearest
from assay.data.media import Audio, Image
from assay.types import Facts, FloatArray, Media, MediaError, Sample

SCHEME = "keras:"
NAMES = {"words": "text", "tokens": "text", "picture": "image", "pixels": "image", "sound": "audio", "wave": "audio"}
RATE_HZ = 16_000
OPTIONS = ("labels", "vocabulary", "layer")
Prepare = Callable[[Any], NDArray[Any]]


class KerasModel:
    """A Keras model as a `Model`: it embeds (by the layer before its last weights), scores its classes, and can be fitted.

    ``classes`` stand in the order of its outputs (one output: the second of two). ``layer`` names the layer whose output is the embedding.
    `ValueError` for a net whose inputs cannot be told.
    """

    aligned_space = False

    def __init__(
        self,
        net: Any,
        *,
        classes: Sequence[str] = (),
        prepare: Mapping[str, Prepare] | None = None,
        vocabulary: Sequence[str] = (),
        layer: str = "",
        name: str = "keras",
    ) -> None:
        self.net, self.name, self.layer = net, name, layer
        if not getattr(net, "inputs", None):
            raise ValueError(
                f"{name} does not know its inputs: build it (call it once), or give it as a functional model"
            )
        self.classes = tuple(map(str, classes))
        self.inputs = {modality_of(tensor, name): tensor for tensor in net.inputs}
        if len(self.inputs) != len(net.inputs):
            raise ValueError(f"{name} has several inputs for {' and '.join(self.inputs)}: name them by what they take")
        usual = {kind: usual_preparation(kind, tensor, net, vocabulary) for kind, tensor in self.inputs.items()}
        self.prepare = {**usual, **(prepare or {})}
        self.modalities = frozenset(self.inputs)

    @property
    def fingerprint(self) -> str:
        """A hash of the net's configuration, its weights, and what its outputs are called."""
        digest = hashlib.sha256(f"{self.net.to_json()}/{self.classes}/{self.layer}".encode())
        for value in self.net.get_weights():
            digest.update(np.ascontiguousarray(value).tobytes())
        return digest.hexdigest()

    def score(self, samples: Sequence[Sample], choices: Sequence[str]) -> FloatArray:
        """Log-probabilities ``float32[n, k]`` among the choices, in their order.

        `ValueError` for a choice that is no class, and for a sample with nothing that the net takes; `MediaError`; `MemoryError`.
        """
        columns = [self._column(choice) for choice in choices]
        if not columns:
            raise ValueError(f"{self.name} was given no choices to score")
        if not samples:
            return np.zeros((0, len(choices)), np.float32)
        logs = log_outputs(self._run(self.net, samples), self.net)
        if logs.shape[1] != len(self.classes):
            raise ValueError(f"{self.name} has {logs.shape[1]} outputs for {len(self.classes)} classes")
        return normalised(logs[:, columns]).astype(np.float32)

    def embed(self, samples: Sequence[Sample], modality: str | None = None) -> FloatArray:
        """Unit vectors ``float32[n, d]`` of all that is present; of one ``modality`` with the others as zeros. Raises as `score`."""
        if modality is not None and modality not in self.modalities:
            raise ValueError(f"{self.name} does not take {modality!r}: {nearest(modality, self.modalities)}")
        if modality is not None:
            samples = [s.with_inputs({k: v for k, v in s.inputs.items() if k == modality}) for s in samples]
        vectors = self._run(self._features(), samples).reshape(len(samples), -1)
        length = np.linalg.norm(vectors, axis=1, keepdims=True)
        return (vectors / np.where(length > 0, length, 1)).astype(np.float32)

    def fit(
        self, samples: Sequence[Sample], *, epochs: int = 10, batch: int = 32, lr: float = 1e-3, seed: int = 0
    ) -> dict[str, list[float]]:
        """Trains the net on the samples' targets, in place; the losses and metrics of each epoch.

        A net that was not compiled is compiled with AdamW and the cross-entropy. Without ``classes`` they become the sorted targets.
        `ValueError` for a sample without a target or of another class.
        """
        keras = the_library()
        keras.utils.set_random_seed(seed)
        for sample in samples:
            if sample.target is None:
                raise ValueError(f"sample {sample.id!r} has no target to be fitted to")
        self.classes = self.classes or tuple(sorted({str(sample.target) for sample in samples}))
        labels = np.array([self._column(str(sample.target)) for sample in samples])
        if not self.net.compiled:
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=activation(self.net) != "softmax")
            self.net.compile(keras.optimizers.AdamW(lr), loss, metrics=["accuracy"])
        wanted = targets(labels, self.net.output_shape[-1], str(self.net.loss))
        history = self.net.fit(self._arrays(samples), wanted, epochs=epochs, batch_size=batch, verbose=0)
        return {name: list(map(float, values)) for name, values in history.history.items()}

    def facts(self) -> Facts:
        """Parameters and bytes in memory."""
        return Facts(parameters=int(self.net.count_params()), bytes=sum(w.nbytes for w in self.net.get_weights()))

    def _column(self, choice: str) -> int:
        if choice not in self.classes:
            hint = nearest(choice, self.classes) if self.classes else "it has no names for its outputs: ?labels=cat,dog"
            raise ValueError(f"{self.name} does not know the class {choice!r}: {hint}")
        return self.classes.index(choice)

    def _features(self) -> Any:
        if self.layer:
            known = [layer.name for layer in self.net.layers]
            if self.layer not in known:
                raise ValueError(f"{self.name} has no layer {self.layer!r}: {nearest(self.layer, known)}")
            return the_library().Model(self.net.inputs, self.net.get_layer(self.layer).output)
        last = next(layer for layer in reversed(self.net.layers) if layer.weights)
        return the_library().Model(self.net.inputs, last.input)

    def _run(self, net: Any, samples: Sequence[Sample]) -> NDArray[np.float64]:
        if not samples:
            return np.zeros((0, 1))
        try:
            return np.asarray(net.predict(self._arrays(samples), batch_size=len(samples), verbose=0), np.float64)
        except Exception as error:
            # Every backend has an exception of its own for this.
            if "memory" in str(error).lower() or "ResourceExhausted" in type(error).__name__:
                raise MemoryError(f"{self.name}: a batch of {len(samples)} does not fit into memory") from error
            raise

    def _arrays(self, samples: Sequence[Sample]) -> Any:
        """The net's inputs, in the structure that it was built with."""
        for sample in samples:
            if not self.modalities.intersection(sample.inputs):
                has = ", ".join(sample.modalities) or "nothing"
                raise ValueError(
                    f"sample {sample.id!r} has {has}, {self.name} needs {' or '.join(sorted(self.modalities))}"
                )
        out = []
        for kind, tensor in self.inputs.items():
            rows = [self.prepare[kind](s.inputs[kind]) if kind in s.inputs else None for s in samples]
            like = next((row for row in rows if row is not None), None)
            shape = tuple(size or 1 for size in tensor.shape[1:]) if like is None else like.shape
            dtype = np.dtype(str(tensor.dtype)) if like is None else like.dtype
            out.append(np.stack([np.zeros(shape, dtype) if row is None else row for row in rows]))
        built = self.net.input
        if isinstance(built, dict):
            places = [id(tensor) for tensor in self.net.inputs]
            return {key: out[places.index(id(tensor))] for key, tensor in built.items()}
        return out if len(out) > 1 else out[0]


def load_keras(spec: str) -> KerasModel:
    """The model in ``keras:FILE.keras?labels=cat,dog&vocabulary=words.txt&layer=NAME``; code in the file (lambdas) is not run.

    `ValueError` in one line for a file that is not there or cannot be read.
    """
    place, _, given = spec.removeprefix(SCHEME).partition("?")
    found = dict(part.partition("=")[::2] for part in filter(None, given.split("&")))
    for key in found:
        if key not in OPTIONS:
            raise ValueError(f"unknown option {key!r} of a keras: model: {nearest(key, OPTIONS)}")
    if not Path(place).is_file():
        raise ValueError(f"there is no file {place}: expected one that model.save('NAME.keras') wrote")
    keras = the_library()
    try:
        net = keras.saving.load_model(place, safe_mode=True)
    except Exception as error:
        line = " ".join(str(error).split())[:300]
        raise ValueError(
            f"{place} cannot be read as a Keras model ({type(error).__name__}: {line}); one with layers of its own is given as"
            " py:file.py:object"
        ) from error
    words = Path(found["vocabulary"]).read_text(encoding="utf-8").splitlines() if "vocabulary" in found else []
    labels = [label.strip() for label in found["labels"].split(",")] if "labels" in found else []
    name = f"{SCHEME}{Path(place).name}"
    return KerasModel(net, classes=labels, vocabulary=words, layer=found.get("layer", ""), name=name)


def the_library() -> Any:
    """Keras, with torch behind it where nothing else was chosen or is there."""
    if "KERAS_BACKEND" not in os.environ and importlib.util.find_spec("tensorflow") is None:
        os.environ["KERAS_BACKEND"] = "torch"
    import keras

    return keras


def modality_of(tensor: Any, name: str) -> str:
    """What an input takes: by its name, else by its shape. `ValueError` where neither says."""
    called = str(tensor.name).partition(":")[0].lower()
    for word in re.split(r"[^a-z]+", called):
        if word in ("image", "text", "audio"):
            return word
        if word in NAMES:
            return NAMES[word]
    if len(tensor.shape) == 4:
        return "image"
    if len(tensor.shape) == 2 and ("int" in str(tensor.dtype) or str(tensor.dtype) == "string"):
        return "text"
    shape = ", ".join(map(str, tensor.shape))
    raise ValueError(f"{name}: what does its input {called!r} [{shape}] take? Name it image, text or audio")


def usual_preparation(kind: str, tensor: Any, net: Any, vocabulary: Sequence[str]) -> Prepare:
    """How media become rows of an input, unless the user says otherwise."""
    if kind == "image":
        height, width = (int(size or 224) for size in tensor.shape[1:3])
        scale = 1.0 if rescales(net) else 1 / 255
        return lambda medium: pixels(medium, height, width) * np.float32(scale)
    if kind == "audio":
        return lambda medium: wave(medium, int(tensor.shape[1] or RATE_HZ))
    numbers = {word: place for place, word in enumerate(vocabulary, 2)}
    length = tensor.shape[1]
    return lambda text: numbered(str(text), numbers, None if length is None else int(length))


def rescales(net: Any) -> bool:
    """Whether a net, at any depth, has a layer that levels pixels."""
    return any(
        type(layer).__name__ in ("Rescaling", "Normalization") or rescales(layer)
        for layer in getattr(net, "layers", ())
    )


def pixels(medium: Media | str, height: int, width: int) -> NDArray[np.float32]:
    """``float32[height, width, 3]`` in 0 … 255."""
    if not isinstance(medium, Image):
        raise MediaError(f"a picture was expected, got {type(medium).__name__}")
    return np.asarray(Picture.fromarray(medium.load()).resize((width, height), Picture.Resampling.BILINEAR), np.float32)


def wave(medium: Media | str, length: int) -> NDArray[np.float32]:
    """``float32[length]`` at 16 kHz: cut, or with zeros behind its end."""
    if not isinstance(medium, Audio):
        raise MediaError(f"a sound was expected, got {type(medium).__name__}")
    sound = medium.load(rate_hz=RATE_HZ)[:length]
    return np.pad(sound, (0, length - len(sound)))


def numbered(text: str, numbers: Mapping[str, int], length: int | None) -> NDArray[np.int32]:
    """Words as `TextVectorization` numbers them, lower case without punctuation.

    >>> numbered("A red, red cat!", {"red": 2, "cat": 3}, 5).tolist()
    [1, 2, 2, 3, 0]
    """
    if not numbers:
        raise ValueError(
            "the net reads numbers of words: say which by ?vocabulary=FILE, one word a line, or by prepare="
        )
    words = re.sub(r"[!\"#$%&()*+,\-./:;<=>?@\[\\\]^_`{|}~']", "", text.lower()).split()
    found = [numbers.get(word, 1) for word in words][:length]
    return np.array([*found, *[0] * ((length or len(found)) - len(found))], np.int32)


def activation(net: Any) -> str:
    """What a net's last layer ends with: ``softmax``, ``sigmoid``, ``linear``."""
    last = net.layers[-1]
    found = getattr(last, "activation", None)
    return str(getattr(found, "__name__", "")) or type(last).__name__.lower()


def log_outputs(out: NDArray[np.float64], net: Any) -> NDArray[np.float64]:
    """Log-probabilities or logits ``[n, classes]`` of what a net gives; one output becomes that of the second of two classes."""
    kind = activation(net)
    out = out.reshape(len(out), -1)
    if out.shape[1] == 1:
        logit = out[:, 0] if kind != "sigmoid" else _log(out[:, 0]) - _log(1 - out[:, 0])
        return np.stack([-np.logaddexp(0, logit), -np.logaddexp(0, -logit)], 1)
    return _log(out) if kind in ("softmax", "sigmoid") else out


def normalised(logs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows whose exponentials sum to 1."""
    found: NDArray[np.float64] = logs - np.logaddexp.reduce(logs, axis=1, keepdims=True)
    return found


def targets(labels: NDArray[np.intp], outputs: int, loss: str) -> NDArray[Any]:
    """Classes as the net's loss wants them: numbers, or rows with a one in the class's place."""
    sparse = outputs == 1 or "sparse" in loss.lower()
    return labels.astype(np.int64) if sparse else np.eye(outputs, dtype=np.float32)[labels]


def _log(values: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(divide="ignore"):
        return np.log(values)
