"""Pictures made ready for a net: resized, cropped, padded, normalised. Transforms change samples, the other functions give arrays."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from assay.catalog import nearest
from assay.data.transforms.held import Pixels, with_image, with_video
from assay.types import FloatArray, Sample, Transform

FITS = ("stretch", "pad", "crop", "shortest")
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CLIP_MEAN, CLIP_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
WHITE = 255


def resize(size_px: int | tuple[int, int], fit: str = "pad") -> Transform:
    """Pictures, and every frame of films, at ``size_px`` (a side, or height and width), bicubic.

    ``stretch`` ignores the shape; ``pad`` keeps all and fills with white; ``crop`` fills all and loses edges; ``shortest`` makes the
    shorter side that long and keeps the shape. `ValueError` for another fit or a size below 1.

    >>> from assay.data.media import Image
    >>> wide = Sample("a", {"image": Image(np.zeros((10, 20, 3), np.uint8))})
    >>> [resize(8, fit)(wide, np.random.default_rng(0)).inputs["image"].load().shape[:2] for fit in FITS]
    [(8, 8), (8, 8), (8, 8), (8, 16)]
    """
    height, width = (size_px, size_px) if isinstance(size_px, int) else size_px
    if fit not in FITS:
        raise ValueError(f"unknown fit {fit!r}: {nearest(fit, FITS)}")
    if min(height, width) < 1:
        raise ValueError(f"a size of at least 1 pixel was expected, got {size_px}")
    return partial(_resize, height=height, width=width, fit=fit)


def _resize(sample: Sample, rng: np.random.Generator, height: int, width: int, fit: str) -> Sample:
    sample = with_image(sample, lambda pixels: resized(pixels, height, width, fit))
    return with_video(sample, lambda frames, fps: (np.stack([resized(one, height, width, fit) for one in frames]), fps))


def resized(pixels: Pixels, height: int, width: int, fit: str = "stretch") -> Pixels:
    """``uint8[height, width, 3]`` (of ``shortest``: at least as large) by Pillow's bicubic filter."""
    h, w = pixels.shape[:2]
    if fit == "stretch":
        return scaled(pixels, height, width)
    scale = (min if fit == "pad" else max)(height / h, width / w)
    inner = scaled(pixels, max(round(h * scale), 1), max(round(w * scale), 1))
    if fit == "shortest":
        return inner
    return padded(inner, height, width) if fit == "pad" else centre(inner, height, width)


def scaled(pixels: Pixels, height: int, width: int) -> Pixels:
    """The picture at another size; itself where it has that size."""
    if pixels.shape[:2] == (height, width):
        return pixels
    return np.asarray(Pillow.fromarray(pixels).resize((width, height), Pillow.Resampling.BICUBIC))


def padded(pixels: Pixels, height: int, width: int, fill: int = WHITE) -> Pixels:
    """The picture in the middle of a plain one of at least its size."""
    out = np.full((height, width, 3), fill, np.uint8)
    top, left = (height - pixels.shape[0]) // 2, (width - pixels.shape[1]) // 2
    out[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return out


def centre(pixels: Pixels, height: int, width: int) -> Pixels:
    """The middle of a picture; white where it is smaller."""
    h, w = pixels.shape[:2]
    top, left = max((h - height) // 2, 0), max((w - width) // 2, 0)
    return padded(pixels[top : top + height, left : left + width], height, width)


def centre_crop(size_px: int) -> Transform:
    """The middle ``size_px`` x ``size_px`` of pictures. `ValueError` for a size below 1."""
    if size_px < 1:
        raise ValueError(f"a size of at least 1 pixel was expected, got {size_px}")
    return partial(_centre_crop, size_px=size_px)


def _centre_crop(sample: Sample, rng: np.random.Generator, size_px: int) -> Sample:
    return with_image(sample, lambda pixels: centre(pixels, size_px, size_px))


def normalised(
    pixels: Pixels, mean: Sequence[float] = IMAGENET_MEAN, std: Sequence[float] = IMAGENET_STD
) -> FloatArray:
    """``float32[…, 3, H, W]`` of ``uint8[…, H, W, 3]``: scaled to [0, 1], less the mean, over the spread of each colour.

    `ValueError` for anything but three of each, and for a spread of 0.

    >>> normalised(np.full((1, 1, 3), 255, np.uint8), (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)).ravel().tolist()
    [1.0, 1.0, 1.0]
    """
    middle, spread = np.asarray(mean, np.float32), np.asarray(std, np.float32)
    if middle.shape != (3,) or spread.shape != (3,) or not (spread > 0).all():
        raise ValueError(f"three means and three spreads above 0 were expected, got {mean} and {std}")
    # One multiplication and one addition a value.
    values: NDArray[np.float32] = pixels * (1 / (255 * spread)) - middle / spread
    return np.ascontiguousarray(np.moveaxis(values, -1, -3), dtype=np.float32)
