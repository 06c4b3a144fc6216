"""CLIPScore and RefCLIPScore: how near a caption is to its picture, and to its references, in a space that holds both.

CLIP-S = 2.5 max(cos(caption, picture), 0), in [0, 2.5]. RefCLIP-S is its harmonic mean with max over references of max(cos(caption,
reference), 0), 0 where either is. Texts are embedded with ``A photo depicts `` before them. The model is the caller's and belongs
to the figure: the published ones are of CLIP ViT-B/32, whose texts end at 77 tokens. Other programs differ: torchmetrics gives 100
cos without the prefix; the authors' code does not clip the cosine with the references, their paper does.

Source: Hessel et al. 2021; jmhessel/clipscore.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from assay.metrics.metric import Metric, Rows, sign, weighted_mean
from assay.metrics.standalone import estimates
from assay.metrics.texts import Texts, distinct, paired_texts
from assay.stats.folded import codes
from assay.stats.inputs import floats, listed, reals
from assay.types import Estimate, Sample

Values = NDArray[np.float64]
Embed = Callable[..., ArrayLike]

WEIGHT = 2.5
PREFIX = "A photo depicts "
BATCH = 64
"""Inputs that are embedded together, so that not all pictures are decoded at once."""


def measure_clipscore(captions: ArrayLike, images: ArrayLike) -> Rows:
    """``clipscore[n]`` of embeddings ``[n, d]``; NaN where a caption's are NaN, which stands for a missing one.

    Raises `ValueError` for shapes that do not fit, and for vectors without a direction, naming the row.
    """
    said, seen = _unit("caption", captions), _unit("image", images)
    if said.shape != seen.shape:
        raise ValueError(f"captions and images [n, d] alike were expected, not {said.shape} and {seen.shape}")
    return {"clipscore": WEIGHT * np.clip(np.einsum("nd,nd->n", said, seen), 0, 1)}


def measure_refclipscore(captions: ArrayLike, images: ArrayLike, references: Sequence[ArrayLike]) -> Rows:
    """``refclipscore[n]`` and ``clipscore[n]``; ``references`` holds for each row the embeddings ``[r, d]`` of its references."""
    rows = measure_clipscore(captions, images)
    said = _unit("caption", captions)
    listed(references, "references")
    if len(references) != len(said):
        raise ValueError(
            f"references for every caption were expected: {len(said)} captions, {len(references)} rows of references"
        )
    near = np.full(len(said), np.nan)
    for row, several in enumerate(references):
        vectors = _unit(f"reference (of caption {row})", several)
        if not len(vectors) or vectors.shape[1] != said.shape[1]:
            raise ValueError(f"row {row}: references [r, {said.shape[1]}] were expected, not of shape {vectors.shape}")
        near[row] = np.clip((vectors @ said[row]).max(), 0, 1)
    both = rows["clipscore"] + near
    mean = np.zeros(len(both))
    np.divide(2 * rows["clipscore"] * near, both, out=mean, where=both != 0)
    return {"refclipscore": mean, **rows}


def _unit(what: str, vectors: ArrayLike) -> Values:
    """Vectors of length 1; rows of NaN stay. Raises `ValueError` for others that have no direction, naming the row."""
    try:
        array = floats(vectors, f"{what} embeddings [n, d]")
    except ValueError as error:
        raise ValueError(f"{error}; texts and pictures need `embed`, which makes vectors of them") from None
    array = array.reshape(0, 0) if array.size == 0 else array
    if array.ndim != 2:
        raise ValueError(f"{what} embeddings [n, d] were expected, not of shape {array.shape}")
    finite = np.isfinite(array).all(axis=1)
    scale = np.where(finite, np.abs(np.nan_to_num(array)).max(axis=1, initial=0), np.nan)  # so that no square overflows
    missing = np.all(np.isnan(array), axis=1) if what == "caption" else np.zeros(len(array), dtype=np.bool_)
    broken = np.flatnonzero(~(scale > 0) & ~missing)
    if len(broken):
        wrong = "is all zeros" if scale[broken[0]] == 0 else "holds values that are not finite"
        raise ValueError(f"row {broken[0]}: the {what} embedding {wrong}")
    array = array / scale[:, None]
    return np.asarray(array / np.linalg.norm(array, axis=1, keepdims=True))


METRICS = {
    "clipscore": Metric(
        "clipscore",
        measure_clipscore,
        weighted_mean("clipscore"),
        bounds=(0.0, WEIGHT),
        item="clipscore",
        signature=sign("clipscore", f"w{WEIGHT}"),
        source="Hessel et al. 2021; jmhessel/clipscore",
        family="clipscore",
        definition="mean of 2.5 max(cos(caption, picture), 0)",
        edge="0 where the caption points away from its picture; a missing caption is undefined",
    ),
    "refclipscore": Metric(
        "refclipscore",
        measure_refclipscore,
        weighted_mean("refclipscore"),
        bounds=(0.0, 2 * WEIGHT / (WEIGHT + 1)),
        item="refclipscore",
        signature=sign("refclipscore", f"w{WEIGHT}", "clipped"),
        source="Hessel et al. 2021; jmhessel/clipscore",
        family="refclipscore",
        definition="mean of the harmonic mean of CLIP-S and the greatest max(cos(caption, reference), 0)",
        edge="0 where the caption points away from its picture or from all references; a missing caption is undefined",
    ),
}


def named(name: str) -> Metric:
    """``clipscore`` or ``refclipscore``."""
    return METRICS[name]


def clipscore(
    captions: Sequence[str | None] | ArrayLike,
    images: Sequence[Any] | ArrayLike,
    *,
    embed: Embed | None = None,
    model: str = "unnamed",
    prefix: str = PREFIX,
    unit: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
) -> Estimate:
    """CLIPScore, the mean of 2.5 max(cos, 0), of captions and pictures, or of their embeddings ``[n, d]`` where ``embed`` is None.

    ``embed`` turns a list of texts, or one of pictures, into vectors; one that takes two arguments is taken for a
    model's, ``embed(samples, modality)``. ``model`` names it in the signature. A caption of None (a row of NaN) is
    missing. Raises `ValueError` as `measure_clipscore`, and for a caption that is no text.

    >>> space = {"A photo depicts a dog": [1.0, 0.0], "dog.png": [0.6, 0.8]}
    >>> found = clipscore(["a dog"], ["dog.png"], embed=lambda many: [space[one] for one in many], model="toy")
    >>> round(found.value, 6), found.signature.split("|")[:4]
    (1.5, ['clipscore', 'w2.5', 'prefix:yes', 'model:toy'])
    """
    inputs: tuple[Any, ...] = (captions, images)
    if embed is not None:
        texts = paired_texts(captions, [""] * len(captions))  # type: ignore[arg-type]
        inputs = _captions_and_images(texts, images, prefix, embed)
    return _estimated("clipscore", inputs, _recipe(embed, prefix, model), unit, seed)


def refclipscore(
    captions: Sequence[str | None] | ArrayLike,
    images: Sequence[Any] | ArrayLike,
    references: Sequence[Any],
    *,
    embed: Embed | None = None,
    model: str = "unnamed",
    prefix: str = PREFIX,
    unit: Sequence[Any] | NDArray[Any] | None = None,
    seed: int = 0,
) -> Estimate:
    """RefCLIPScore of captions, pictures and a list of references a row, or of their embeddings; arguments as `clipscore`.

    >>> vectors = np.array([[1.0, 0.0]]), np.array([[0.6, 0.8]]), [np.array([[0.8, 0.6], [0.0, 1.0]])]
    >>> round(refclipscore(*vectors).value, 6)
    1.043478
    """
    inputs: tuple[Any, ...] = (captions, images, references)
    if embed is not None:
        texts = paired_texts(captions, references)  # type: ignore[arg-type]
        there = _texts(texts.references, prefix, embed)
        inputs = (*_captions_and_images(texts, images, prefix, embed), np.split(there, texts.first[1:]))
    return _estimated("refclipscore", inputs, _recipe(embed, prefix, model), unit, seed)


def _recipe(embed: Embed | None, prefix: str, model: str) -> tuple[str, str]:
    how = "as_embedded" if embed is None else "yes" if prefix == PREFIX else prefix.strip().replace("|", "/") or "no"
    return f"prefix:{how}", f"model:{model}"


def _captions_and_images(texts: Texts, images: Any, prefix: str, embed: Embed) -> tuple[Values, Values]:
    """The vectors ``[n, d]`` of captions, NaN for missing ones, and of pictures."""
    if len(images) != len(texts):
        raise ValueError(f"a picture for every caption was expected: {len(texts)} captions, {len(images)} images")
    seen = _vectors(embed, list(images), "image")
    there = ~texts.missing
    said = np.full(seen.shape, np.nan)
    if there.any():
        vectors = _texts([texts.predictions[row] for row in np.flatnonzero(there)], prefix, embed)
        if vectors.shape[1] != seen.shape[1]:
            raise ValueError(
                f"one width of vectors was expected, not {vectors.shape[1]} of texts and {seen.shape[1]} of images"
            )
        said[there] = vectors
    return said, seen


def _texts(texts: list[str], prefix: str, embed: Embed) -> Values:
    """The vectors ``[n, d]`` of texts, each distinct one embedded once."""
    kinds, place = distinct([prefix + text for text in texts])
    return _vectors(embed, kinds, "text")[place]


def _vectors(embed: Embed, inputs: list[Any], modality: str) -> Values:
    """What ``embed`` makes of inputs, batch by batch."""
    parts = []
    for start in range(0, len(inputs), BATCH):
        batch = inputs[start : start + BATCH]
        if _takes_samples(embed):
            samples = [Sample(str(start + place), {modality: one}) for place, one in enumerate(batch)]
            vectors = reals(embed(samples, modality))
        else:
            vectors = reals(embed(batch))
        if vectors.ndim != 2 or len(vectors) != len(batch):
            raise ValueError(
                f"{len(batch)} vectors [n, d] were expected of `embed`, not an array of shape {vectors.shape}"
            )
        parts.append(vectors)
    return np.concatenate(parts) if parts else np.zeros((0, 0))


def _takes_samples(embed: Embed) -> bool:
    """Whether ``embed`` has the two arguments of a model's."""
    try:
        parameters = inspect.signature(embed).parameters.values()
    except (TypeError, ValueError):  # a builtin that does not tell
        return False
    return sum(one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD) for one in parameters) >= 2


def _estimated(name: str, inputs: tuple[Any, ...], recipe: tuple[str, str], unit: Any, seed: int) -> Estimate:
    metric = METRICS[name].signed(*recipe)
    rows = metric.measure(*inputs)
    found = estimates([metric], rows, unit, seed=seed)[0]
    lost = np.isnan(rows[name])
    return replace(found, n_missing=len(np.unique(codes(unit, len(lost))[lost])))
