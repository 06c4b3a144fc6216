"""The identities that a contrastive loss must satisfy, and its agreement with the naive formula."""

import math

import pytest
import torch
import torch.nn.functional as F

from assay.losses.classify import classify
from assay.losses.contrastive import info_nce, soft_cross_entropy, supervised_contrast


def unit(n: int, d: int, seed: int = 0) -> torch.Tensor:
    return F.normalize(torch.randn(n, d, generator=torch.Generator().manual_seed(seed)), dim=1)


@pytest.mark.parametrize("n", [2, 64, 256])
def test_without_scale_the_loss_is_ln_n(n: int) -> None:
    assert float(info_nce(unit(n, 16), unit(n, 16, 1), 0.0)) == pytest.approx(math.log(n), abs=1e-5)


def test_equal_vectors_give_ln_n_at_any_scale() -> None:
    same = unit(1, 8).expand(32, 8)
    assert float(info_nce(same, same, 14.3)) == pytest.approx(math.log(32), abs=1e-5)


def test_random_towers_start_above_ln_n() -> None:
    # By about scale^2 Var(cos) / 2, with Var(cos) = 1 / d.
    n, d, scale = 512, 64, 1 / 0.07
    loss = float(info_nce(unit(n, d), unit(n, d, 1), scale))
    assert loss == pytest.approx(math.log(n) + scale**2 / d / 2, abs=0.35)


def test_equals_the_mean_of_two_cross_entropies() -> None:
    a, b, labels = unit(10, 8), unit(10, 8, 1), torch.arange(10)
    logits = 14.0 * a @ b.T
    naive = (F.cross_entropy(logits, labels) + F.cross_entropy(logits.T, labels)) / 2
    assert float(info_nce(a, b, 14.0)) == pytest.approx(float(naive), abs=1e-6)


def test_several_positives_share_the_target() -> None:
    logits = torch.tensor([[0.0, 0.0, 0.0]])
    positives = torch.tensor([[True, True, False]])
    assert float(soft_cross_entropy(logits, positives)) == pytest.approx(math.log(3), abs=1e-6)
    perfect = torch.tensor([[50.0, 50.0, 0.0]])
    assert float(soft_cross_entropy(perfect, positives)) == pytest.approx(math.log(2), abs=1e-5)


def test_columns_without_a_positive_are_only_negatives() -> None:
    a, b = unit(3, 8), unit(5, 8, 1)
    positives = torch.eye(3, 5, dtype=torch.bool)
    logits = 5.0 * a @ b.T
    forth = F.cross_entropy(logits, torch.arange(3))
    back = F.cross_entropy(logits.T[:3], torch.arange(3))
    assert float(info_nce(a, b, 5.0, positives)) == pytest.approx(float(forth + back) / 2, abs=1e-6)


def test_without_any_positive_the_loss_is_zero_and_finite() -> None:
    a = unit(3, 4).requires_grad_()
    loss = info_nce(a, unit(3, 4, 1), 5.0, torch.zeros(3, 3, dtype=torch.bool))
    loss.backward()
    assert float(loss.detach()) == 0.0
    assert a.grad is not None and bool(torch.isfinite(a.grad).all())


def test_supervised_contrast_leaves_itself_out() -> None:
    vectors = unit(1, 8).expand(6, 8)
    labels = torch.tensor([0, 0, 1, 1, 2, 2])
    assert float(supervised_contrast(vectors, labels, 10.0)) == pytest.approx(math.log(5), abs=1e-4)


def test_supervised_contrast_pulls_together_what_is_alike() -> None:
    vectors = torch.eye(3).repeat_interleave(2, 0)
    right, wrong = torch.tensor([0, 0, 1, 1, 2, 2]), torch.tensor([0, 1, 2, 0, 1, 2])
    assert float(supervised_contrast(vectors, right, 10.0)) < 1e-3 < float(supervised_contrast(vectors, wrong, 10.0))


def test_similarities_stay_float32_under_autocast() -> None:
    a, b = unit(8, 32), unit(8, 32, 1)
    with torch.autocast("cpu", torch.bfloat16):
        inside = info_nce(a, b, 14.3)
    assert float(inside) == pytest.approx(float(info_nce(a, b, 14.3)), abs=1e-6)


def test_classification_starts_at_ln_k_and_skips_rows() -> None:
    assert float(classify(torch.zeros(4, 9), torch.arange(4), 0.1)) == pytest.approx(math.log(9), abs=1e-6)
    logits = torch.tensor([[5.0, 0.0], [0.0, 5.0]])
    labels = torch.tensor([0, 0])
    first = classify(logits, labels, rows=torch.tensor([True, False]))
    assert float(first) == pytest.approx(float(F.cross_entropy(logits[:1], labels[:1])), abs=1e-6)
