"""CCA and CKA: all correlations beside scikit-learn's few, features beside kernel matrices."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from sklearn.cross_decomposition import CCA

from assay import metrics
from benchmarks.pairing import Pairing, pair

Values = NDArray[np.float64]


def sides(n: int, d: int) -> tuple[Values, Values]:
    """Two modalities that share half of what they say."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, d))
    return x, x @ rng.standard_normal((d, d)) / np.sqrt(d) + rng.standard_normal((n, d))


def in_sample(x: Values, y: Values) -> None:
    """Every canonical correlation."""
    metrics.cca(x, y, held_out=False, permutations=0)


def by_qr(x: Values, y: Values) -> Values:
    """Canonical correlations as they are usually written: singular values of QᵀQ of both centred sides."""
    q, r = (np.linalg.qr(side - side.mean(axis=0))[0] for side in (x, y))
    return np.asarray(np.linalg.svd(q.T @ r, compute_uv=False))


def canonical() -> Iterator[Pairing]:
    """The peer iterates for four components; on the large case it takes more than a minute and is left out."""
    x, y = sides(4_000, 64)
    peer = CCA(n_components=4, max_iter=2_000)
    in_sample(x, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        work = "CCA, 4000 x 64, all correlations (peer: four)"
        yield pair(work, lambda: in_sample(x, y), "scikit-learn", lambda: peer.fit(x, y))
    large = sides(20_000, 512)
    assert np.allclose(by_qr(*large), metrics.cca(*large, held_out=False, permutations=0)["cca"].items, atol=1e-8)
    work = "CCA, 20000 x 512, all correlations"
    yield pair(work, lambda: in_sample(*large), "QR in numpy", lambda: by_qr(*large))
    yield pair("CCA, 20000 x 512, held out in five folds", lambda: metrics.cca(*large, permutations=0))


def by_kernels(x: Values, y: Values) -> float:
    """The unbiased CKA as it is usually written, with matrices of all pairs."""
    n = len(x)
    grams = [side @ side.T for side in (x, y)]
    for gram in grams:
        np.fill_diagonal(gram, 0.0)

    def hsic(k: Values, other: Values) -> float:
        middle = k.sum() * other.sum() / ((n - 1) * (n - 2))
        return float((k * other).sum() + middle - 2 / (n - 2) * (k.sum(axis=0) @ other.sum(axis=0))) / (n * (n - 3))

    return hsic(*grams) / np.sqrt(hsic(grams[0], grams[0]) * hsic(grams[1], grams[1]))


def alignment() -> Pairing:
    """With an interval on our side, which costs half of it."""
    x, y = sides(5_000, 512)
    assert abs(by_kernels(x, y) - metrics.cka(x, y).value) < 1e-9
    work = "CKA, 5000 x 512, unbiased, with interval"
    return pair(work, lambda: metrics.cka(x, y), "kernel matrices in numpy", lambda: by_kernels(x, y))


def pairings() -> Iterator[Pairing]:
    """All of them."""
    yield from canonical()
    yield alignment()
