"""Deep CCA: two nets whose outputs correlate as much as they can.

Source: Andrew et al. 2013. The loss is minus the sum of the canonical correlations of ``a [n, d]`` and ``b [n, e]``, at
least -min(d, e); with independent views and many samples it is near 0.
"""

from __future__ import annotations

import torch
from torch import Tensor


def decorrelate(a: Tensor, b: Tensor, *, ridge: float = 1e-3) -> Tensor:
    """Minus the sum of canonical correlations, each covariance with ``ridge`` times its mean variance on the diagonal.

    Needs more samples than dimensions, else every correlation is 1 by construction: `ValueError`.

    >>> x = torch.randn(200, 3, generator=torch.Generator().manual_seed(0))
    >>> round(float(decorrelate(x, x @ torch.randn(3, 3, generator=torch.Generator().manual_seed(1)), ridge=0)), 3)
    -3.0
    """
    n = len(a)
    if n <= a.shape[1] + b.shape[1]:
        raise ValueError(f"CCA of widths {a.shape[1]} and {b.shape[1]} needs more than their sum of samples, not {n}")
    a, b = a.double() - a.double().mean(0), b.double() - b.double().mean(0)
    white_a, white_b = _whitener(a, ridge), _whitener(b, ridge)
    correlations = torch.linalg.svdvals(white_a.T @ (a.T @ b / (n - 1)) @ white_b)
    return -correlations.sum().float()


def _whitener(x: Tensor, ridge: float) -> Tensor:
    """A matrix W with WᵀΣW = 1, Σ the covariance with its ridge: the inverse transpose of Cholesky's factor."""
    covariance = x.T @ x / (len(x) - 1)
    eye = torch.eye(x.shape[1], dtype=x.dtype, device=x.device)
    factor = torch.linalg.cholesky(covariance + ridge * covariance.diagonal().mean() * eye)
    return torch.linalg.solve_triangular(factor, eye, upper=False).T
