"""What weights that were trained elsewhere are worth: a linear probe on EfficientNet-Lite0's features, beside one on raw pixels.

The encoder is frozen and sees each picture once; a linear classifier of the category is fitted to its vectors. Emoji in two art
styles teach, a third style is the test: concepts that training held (in another style), and concepts that it never held.

Needs ``pip install 'assay[pretrained]'``.

Reached (every sixth concept, about 30 CPU-seconds; which of 9 categories, accuracy): another style of known concepts .753
[.696, .803] (pixels .433 [.373, .496]), concepts never seen .658 [.533, .764] (pixels .486 [.364, .611]).
Run: ``python -m examples.pretrained_probe``.
"""

from __future__ import annotations

import sys

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

import assay
from assay import Estimate, metrics
from assay.models.encoders.pretrained import PretrainedEncoder, backbone, pictures

BATCH = 32
SPLITS = ("train", "test", "test-concepts")


def vectors(data: assay.Dataset, encoder: PretrainedEncoder) -> tuple[Tensor, Tensor]:
    """``[n, 1280]`` of the encoder (the mean of its places) and ``[n, 768]`` of the pixels at 16 x 16, for the pictures of a data set."""
    deep, flat = [], []
    for start in range(0, len(data), BATCH):
        media = [sample.inputs["image"] for sample in data.samples[start : start + BATCH]]
        with torch.inference_mode():
            deep.append(encoder.features(encoder.values(media))[0].mean(1))
        flat.append(pictures(media, 16).flatten(1))
    return torch.cat(deep), torch.cat(flat)


def probe(x: Tensor, y: Tensor, classes: int, *, decay: float = 1e-2, steps: int = 300) -> tuple[Tensor, Tensor]:
    """Weights ``[d, classes]`` and offsets of a logistic regression on levelled features, by full-batch L-BFGS."""
    weight, offset = torch.zeros(x.shape[1], classes, requires_grad=True), torch.zeros(classes, requires_grad=True)
    optimiser = torch.optim.LBFGS([weight, offset], max_iter=steps, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = F.cross_entropy(x @ weight + offset, y) + decay * weight.square().sum() / 2
        loss.backward()
        return loss

    optimiser.step(closure)
    return weight.detach(), offset.detach()


def measured(
    found: dict[str, tuple[Tensor, NDArray[np.intp], list[str]]], classes: tuple[str, ...]
) -> dict[str, Estimate]:
    """Accuracy on both halves of the truth, of a probe fitted to the training pictures; its unit is the concept."""
    x, y, _ = found["train"]
    mean, spread = x.mean(0), x.std(0).clamp(min=1e-6)
    weight, offset = probe((x - mean) / spread, torch.from_numpy(y), len(classes))
    out = {}
    for split in SPLITS[1:]:
        x, y, units = found[split]
        guess = (((x - mean) / spread) @ weight + offset).argmax(1).tolist()
        told, true = [classes[i] for i in guess], [classes[i] for i in y]
        out[split] = metrics.score(["accuracy"], told, true, unit=units)["accuracy"]
    return out


def main(every: int = 6) -> dict[str, dict[str, Estimate]]:
    """Both probes on every ``every``-th concept."""
    encoder = PretrainedEncoder(1, backbone("efficientnet-lite0"))
    deep, flat = {}, {}
    for split in SPLITS:
        data = assay.load_dataset(f"emoji:{split}[::{every}]")
        places = {name: number for number, name in enumerate(data.choices)}
        y = np.array([places[str(sample.target)] for sample in data.samples])
        units = [sample.groups["concept"] for sample in data.samples]
        one, two = vectors(data, encoder)
        deep[split], flat[split] = (one, y, units), (two, y, units)
    found = {"EfficientNet-Lite0": measured(deep, data.choices), "pixels": measured(flat, data.choices)}
    for name, figures in found.items():
        told = "; ".join(f"{split} {e.value:.3f} [{e.low:.3f}, {e.high:.3f}]" for split, e in figures.items())
        print(f"{name}: {told}")
    return found


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
