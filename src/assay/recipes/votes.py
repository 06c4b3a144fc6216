"""How much each modality's vote counts when `assay.models.aligned.Aligned` says which of some classes a sample is.

The votes are a logarithmic opinion pool (Genest & Zidek 1986): scaled cosines times a factor each, added up. A modality
that is alone has the factor that makes its probabilities right (temperature scaling: Guo et al. 2017); several together
repeat each other, so that adding full votes would make them too sure, and one that knows little must not outvote the
others. All factors make the negative log-likelihood of held-out samples least, a convex problem.
"""

from __future__ import annotations

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from assay.models.aligned import Aligned
from assay.recipes.corpus import Corpus, owners

STEPS = 50


def with_votes(net: Aligned, held: Corpus) -> Aligned:
    """The net with its factors, fitted to the concepts of ``held``, which training never saw, in its settings."""
    net.eval()
    shown, labels = held_votes(net, held)
    alone = tuple(round(float(fitted([votes], labels)[0]), 3) for votes in shown)
    together = tuple(round(float(factor), 3) for factor in fitted(shown, labels))
    net.settings = replace(net.settings, alone=alone, together=together)
    return net


def held_votes(net: Aligned, held: Corpus) -> tuple[list[Tensor], Tensor]:
    """The scaled cosines ``float64[n, k]`` of every held picture, of its concept's keywords and sound, by the net's
    modalities (NaN where there is no sound), and the right classes ``int64[n]``."""
    with torch.no_grad():
        phrases = net.vectors("text", held.class_ids)
        of_picture = owners(held.pictures)
        keywords = held.keywords.values[held.keywords.rows[:, 0]].long()
        heard = held.sounds.counts > 0
        vectors = {
            "image": net.vectors("image", held.pictures.values.float() / 255),
            "text": net.vectors("text", keywords)[of_picture],
        }
        sounds = torch.full((len(held.concepts), phrases.shape[1]), torch.nan)
        sounds[heard] = net.vectors("audio", held.sounds.values[held.sounds.rows[heard, 0]].float())
        vectors["audio"] = sounds[of_picture]
        scale = net.class_scale().double()
        votes = [scale * vectors[name].double() @ phrases.double().T for name in net.modalities]
    return votes, held.categories[of_picture]


def fitted(votes: list[Tensor], labels: Tensor) -> Tensor:
    """The factors ``float64[m]`` under which the sum of ``votes`` (each ``[n, k]``, NaN rows where there is none) makes
    ``labels [n]`` likeliest. Rows without any vote say nothing.

    >>> right = torch.eye(4).double()
    >>> bool(fitted([right, -right], torch.arange(4))[0] > 0)
    True
    """
    stacked = torch.stack(votes)
    missing = stacked[:, :, 0].isnan()
    some = ~missing.all(0)
    stacked, labels = stacked[:, some].nan_to_num(), labels[some]
    factors = torch.ones(len(votes), dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([factors], max_iter=STEPS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        # A little pull towards full votes: where votes separate the classes wholly, the best factor would be infinite.
        value = F.cross_entropy(torch.einsum("m,mnk->nk", factors, stacked), labels) + 1e-3 * ((factors - 1) ** 2).sum()
        value.backward()
        return value

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    return factors.detach()
