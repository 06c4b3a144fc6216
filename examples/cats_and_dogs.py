"""Cat or dog, from a picture and a text: CNN + LSTM + concatenation in torch, cross-validated (no fold shares an animal).

Variants: multi-task (the art style is told as well), distillation (a student that sees the picture alone learns from a
teacher that reads the text too). What the usual program gets wrong: random features and labels, so that its accuracy is
chance; pictures of one animal on both sides of the split; no interval.

Reached (seed 0, 5 folds, 48 pictures of 17 animals, 150 steps, about 40 CPU-seconds): picture and text .750 [.520, .892],
multi-task .792, distilled .833 [.612, .941]. With 17 animals the intervals are wide, and that is the finding.
Run: ``python -m examples.cats_and_dogs``.
"""

from __future__ import annotations

import sys

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from assay import Estimate, metrics
from assay.losses.distill import distil
from assay.models.encoders.cnn import ImageEncoder
from assay.models.encoders.rnn import RecurrentEncoder
from examples.pets import CLASSES, STYLES, encoded, folds, pets


class CatsAndDogs(nn.Module):
    """``image [n, 3, 48, 48]`` and ``words [n, t]`` (None: the picture alone) -> class and style logits."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.cnn = ImageEncoder(32, widths=(16, 32, 32))
        self.lstm = RecurrentEncoder(16, vocabulary=vocabulary, width=16, cell="lstm")
        self.mix = nn.Sequential(nn.Linear(48, 32), nn.ReLU(), nn.Dropout(0.3))
        self.head, self.style = nn.Linear(32, len(CLASSES)), nn.Linear(32, len(STYLES))

    def forward(self, image: Tensor, words: Tensor | None) -> tuple[Tensor, Tensor]:
        read = self.lstm(words) if words is not None else torch.zeros(len(image), 16)
        both = self.mix(torch.cat([self.cnn(image), read], 1))
        return self.head(both), self.style(both)


class Data:
    """The tensors of all pictures."""

    def __init__(self) -> None:
        pictures, texts, classes, styles, self.names = pets()
        self.image = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255
        words, self.vocabulary = encoded(texts)
        places = folds(self.names, classes)
        self.words, self.classes, self.styles, self.fold = map(torch.from_numpy, (words, classes, styles, places))


def fit(data: Data, rows: Tensor, *, steps: int, style: float = 0.0, teacher: nn.Module | None = None) -> CatsAndDogs:
    """Train on ``rows``. ``style`` weighs the second task; with a ``teacher`` the net is a student without text."""
    generator = torch.manual_seed(0)
    net = CatsAndDogs(data.vocabulary).train()
    optimiser = torch.optim.AdamW(net.parameters(), 3e-3, weight_decay=0.05)
    for _ in range(steps):
        chosen = rows[torch.randint(len(rows), (24,), generator=generator)]
        image, labels = data.image[chosen], data.classes[chosen]
        chance = torch.rand(2, len(chosen), 1, 1, 1, generator=generator)  # turned over, brighter or darker
        image = (torch.where(chance[0] < 0.5, image.flip(3), image) * (0.7 + 0.6 * chance[1])).clamp(0, 1)
        logits, styles = net(image, None if teacher else data.words[chosen])
        loss = F.cross_entropy(logits, labels) + style * F.cross_entropy(styles, data.styles[chosen])
        if teacher is not None:
            loss = distil(logits, teacher(image, data.words[chosen])[0], labels, hard=0.5, soft=0.5)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return net.eval()


def cross_validate(data: Data, kind: str, steps: int) -> Estimate:
    """The accuracy over all pictures, each judged by the net that has not seen its animal; the unit is the animal."""
    guesses = np.empty(len(data.names), dtype=object)
    for fold in range(int(data.fold.max()) + 1):
        rows, held = (torch.nonzero(mask)[:, 0] for mask in (data.fold != fold, data.fold == fold))
        net = fit(data, rows, steps=steps, style=0.5 if kind == "multi-task" else 0.0)
        if kind == "distilled":
            net = fit(data, rows, steps=steps, teacher=net)
        with torch.inference_mode():
            logits, _ = net(data.image[held], None if kind == "distilled" else data.words[held])
        guesses[held.numpy()] = [CLASSES[i] for i in logits.argmax(1).tolist()]
    truth = [CLASSES[i] for i in data.classes.tolist()]
    return metrics.score(["accuracy"], guesses.tolist(), truth, unit=data.names)["accuracy"]


def main(steps: int = 150) -> dict[str, Estimate]:
    """Every variant over the same folds."""
    data, variants = Data(), ("picture and text", "multi-task", "distilled")
    found = {kind: cross_validate(data, kind, steps) for kind in variants}
    for kind, one in found.items():
        print(f"{kind:>16}: {one.value:.3f} [{one.low:.3f}, {one.high:.3f}] over {one.n} animals")
    return found


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
