"""The game of generator and discriminator (Goodfellow et al. 2014) with hinge losses (Lim & Ye 2017).

With all judgements 0 the discriminator's loss is 2 and the generator's 0.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def judge(real: Tensor, made: Tensor) -> Tensor:
    """The discriminator's loss: real inputs should be judged above 1, made ones below -1. Judgements are ``[n]``.

    >>> import torch
    >>> float(judge(torch.zeros(3), torch.zeros(3))), float(judge(torch.full((3,), 2.0), torch.full((3,), -2.0)))
    (2.0, 0.0)
    """
    return F.relu(1 - real).mean() + F.relu(1 + made).mean()


def deceive(made: Tensor) -> Tensor:
    """The generator's loss: what it made should be judged real."""
    return -made.mean()
