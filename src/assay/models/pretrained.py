"""A model, its feature extractor and its tokeniser as three objects, in the manner of the libraries that people know.

`MultiModalFeatureExtractor` makes tensors of pictures and sounds, `MultiModalTokenizer` of texts, `MultiModalModel` answers
with ``.logits``, ``.last_hidden_state`` and, where labels are given, ``.loss``. All three open a folder that assay's
training or ``save_pretrained`` wrote, or a shipped model by name (``assay:fused``); the same folder is an
`assay.load_model` model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from assay.data.batch import Batch, Part
from assay.data.media import Audio, Image
from assay.losses.contrastive import info_nce
from assay.models.aligned import Aligned
from assay.models.folder import open_folder, read_processor, save_native, write_processor
from assay.models.fused import Fused
from assay.models.joint import Joint
from assay.models.native import SHIPPED, WEIGHTS
from assay.models.processor import Processor
from assay.models.vqa import Vqa
from assay.types import Media

Net = Aligned | Joint | Fused | Vqa
INPUTS = {"pixel_values": "image", "input_ids": "text", "input_features": "audio"}


@dataclass(frozen=True)
class MultiModalOutput:
    """``logits [n, classes]`` (a model of aligned towers: similarities ``[n, n]`` of pictures with texts, or None when
    it was given one modality), ``last_hidden_state [n, dim]`` (the fused vectors), ``loss`` (None unless asked for), and
    for aligned towers each modality's unit vectors ``embeds[name] [n, dim]``.
    """

    logits: Tensor | None
    last_hidden_state: Tensor
    loss: Tensor | None = None
    embeds: Mapping[str, Tensor] | None = None


@dataclass(frozen=True)
class MultiModalFeatureExtractor:
    """Pictures to ``pixel_values float[n, 3, s, s]``, sounds to ``input_features float[n, 64, t]``."""

    processor: Processor

    @classmethod
    def from_pretrained(cls, name: str | Path) -> MultiModalFeatureExtractor:
        """That of a saved model's folder or of a shipped model. `ValueError` says what is missing or unreadable."""
        return cls(read_processor(folder_of(name)))

    def save_pretrained(self, folder: str | Path) -> Path:
        """Write ``processor.json``."""
        return write_processor(folder, self.processor)

    def __call__(self, images: Any = None, audio: Any = None) -> dict[str, Tensor]:
        """Tensors of one picture, sound, or list of them: paths, bytes of files, media; pictures also as arrays
        ``uint8[h, w, 3]``. `MediaError` names one that is broken.
        """
        found = {}
        for name, given in (("images", images), ("audio", audio)):
            if isinstance(given, list | tuple) and not given:
                raise ValueError(f"{name}= is an empty list: at least one was expected")
        if images is not None:
            pictures = [_medium(one, Image) for one in _several(images)]
            found["pixel_values"] = self.processor.values("image", pictures)
        if audio is not None:
            sounds = [_medium(one, Audio) for one in _several(audio)]
            found["input_features"] = self.processor.values("audio", sounds)
        if not found:
            raise ValueError("nothing to extract from: give images=, audio=, or both")
        return found


@dataclass(frozen=True)
class MultiModalTokenizer:
    """Texts to ``input_ids``: tokens ``int64[n, t]``, or hashed words ``int64[n, words, parts]`` where the model has those."""

    processor: Processor

    @classmethod
    def from_pretrained(cls, name: str | Path) -> MultiModalTokenizer:
        """That of a saved model's folder or of a shipped model. `ValueError` says what is missing or unreadable."""
        return cls(read_processor(folder_of(name)))

    def save_pretrained(self, folder: str | Path) -> Path:
        """Write ``processor.json`` and, where there is one, ``tokenizer.json``."""
        return write_processor(folder, self.processor)

    def __call__(self, texts: str | Sequence[str]) -> dict[str, Tensor]:
        """``{"input_ids": …}`` of one text or several, padded with 0."""
        return {"input_ids": self.processor.values("text", [texts] if isinstance(texts, str) else list(texts))}

    def decode(self, ids: Tensor) -> list[str]:
        """The texts of tokens ``int64[n, t]``. Hashed words cannot be turned back: `ValueError`."""
        if self.processor.bpe is None:
            raise ValueError("this model hashes words, which cannot be turned back into texts")
        return [self.processor.bpe.decode(row) for row in ids.tolist()]


class MultiModalModel(nn.Module):
    """A net that takes tensors by name and may be trained further.

    >>> model = MultiModalModel.from_pretrained("assay:fused")
    >>> ids = MultiModalTokenizer.from_pretrained("assay:fused")(["red apple", "dog face"])
    >>> model(**ids).logits.argmax(1).tolist() == model(**ids, labels=torch.tensor([0, 1])).logits.argmax(1).tolist()
    True
    """

    def __init__(self, net: Net, processor: Processor) -> None:
        super().__init__()
        self.net, self.processor = net, processor

    @classmethod
    def from_pretrained(cls, name: str | Path) -> MultiModalModel:
        """A saved model's folder or a shipped model, in eval mode. `ValueError` for one that only writes (generate)."""
        net, processor, _ = open_folder(folder_of(name))
        if not isinstance(net, Net):
            raise ValueError(f"{name} is a {type(net).__name__}, which writes its answers: use assay.load_model")
        return cls(net, processor).eval()

    def save_pretrained(self, folder: str | Path) -> Path:
        """Write weights, configuration and processor, so that `from_pretrained` and `assay.load_model` open them."""
        return save_native(folder, self.net, self.processor)

    @property
    def classes(self) -> tuple[str, ...]:
        """What the columns of the logits stand for; empty for aligned towers."""
        return () if isinstance(self.net, Aligned) else self.net.settings.classes

    def forward(
        self,
        pixel_values: Tensor | None = None,
        input_ids: Tensor | None = None,
        input_features: Tensor | None = None,
        *,
        labels: Tensor | None = None,
        return_loss: bool = False,
    ) -> MultiModalOutput:
        """Any of the three inputs, row i of each being one sample.

        ``labels int64[n]`` give the cross-entropy as ``loss``. Aligned towers have no labels; with ``return_loss`` (row i
        of each modality belongs together) their loss is the mean InfoNCE of the pairs of modalities given. Without being
        asked for, no loss is computed. Raises `ValueError` for no input, unequal numbers of rows, a modality that
        the net does not take, labels out of range, or a loss that it does not have.
        """
        batch = self._batch(pixel_values, input_ids, input_features)
        if isinstance(self.net, Aligned):
            return self._aligned(self.net, batch, labels, return_loss)
        if return_loss and labels is None:
            raise ValueError("this model's loss needs labels=: the class number of each row")
        states = self.net.fuse(self.net.encode(batch)) if isinstance(self.net, Fused) else self.net.states(batch)
        logits = self.net.head(states).float()
        return MultiModalOutput(logits, states, None if labels is None else self._loss(logits, labels))

    def _batch(self, pixel_values: Tensor | None, input_ids: Tensor | None, input_features: Tensor | None) -> Batch:
        given = dict(zip(INPUTS, (pixel_values, input_ids, input_features), strict=True))
        given = {name: values for name, values in given.items() if values is not None}
        if not given:
            raise ValueError(f"at least one of {', '.join(INPUTS)} was expected, got none")
        counts = {name: len(values) for name, values in given.items()}
        if len(set(counts.values())) > 1:
            raise ValueError(f"row i of every input is one sample: equal numbers of rows were expected, got {counts}")
        for name in given:
            if INPUTS[name] not in self.net.modalities:
                raise ValueError(f"{type(self.net).__name__} takes {', '.join(self.net.modalities)}, not {name}")
        n = next(iter(counts.values()))
        parts = {INPUTS[name]: Part(torch.arange(n), values) for name, values in given.items()}
        return Batch(tuple(map(str, range(n))), parts)

    def _loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        if labels.shape != (len(logits),) or int(labels.min()) < 0 or int(labels.max()) >= logits.shape[1]:
            raise ValueError(
                f"labels int64[{len(logits)}] in 0 … {logits.shape[1] - 1} were expected, got {tuple(labels.shape)} "
                f"from {int(labels.min())} to {int(labels.max())}"
            )
        return F.cross_entropy(logits, labels)

    def _aligned(self, net: Aligned, batch: Batch, labels: Tensor | None, return_loss: bool) -> MultiModalOutput:
        if labels is not None:
            raise ValueError("aligned towers have no classes: give return_loss=True for the contrast of the pairs")
        names = list(batch.parts)
        embeds = {name: net.vectors(name, part.values) for name, part in batch.parts.items()}
        pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
        loss = None
        if return_loss:
            if not pairs:
                raise ValueError("a contrast needs two modalities, for example pixel_values= and input_ids=")
            loss = torch.stack([info_nce(embeds[a], embeds[b], net.scale()) for a, b in pairs]).mean()
        logits = net.scale() * embeds[pairs[0][0]] @ embeds[pairs[0][1]].T if pairs else None
        fused = F.normalize(torch.stack(list(embeds.values())).sum(0), dim=1)
        return MultiModalOutput(logits, fused, loss, embeds)


def folder_of(name: str | Path) -> Path:
    """Where a shipped model (``assay:fused``) or a folder lies."""
    short = str(name).removeprefix("assay:")
    return WEIGHTS / short if str(name).startswith("assay:") and short in SHIPPED else Path(name)


def _several(given: Any) -> list[Any]:
    return list(given) if isinstance(given, list | tuple) else [given]


def _medium(given: Any, kind: type[Image] | type[Audio]) -> Media:
    return given if isinstance(given, Image | Audio) else kind(given)
