"""Wrong labels, misleading inputs, counterfactual pairs: limits of the formulas, and what a small net gains on real digits."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from assay.data.bundled import load
from assay.losses.robust import believable, counterfactual, forgiving, mislead


def digits(split: str, n: int) -> tuple[Tensor, Tensor]:
    samples = load("digits", split).samples[:n]
    pictures = torch.stack([torch.from_numpy(s.inputs["image"].load().copy())[..., 0].float() / 255 for s in samples])
    return pictures.flatten(1), torch.tensor([int(s.target) for s in samples])


def fit(loss, *, seed: int = 0, steps: int = 150) -> nn.Module:
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    optimiser = torch.optim.AdamW(net.parameters(), lr=5e-3)
    for _ in range(steps):
        optimiser.zero_grad()
        loss(net).backward()
        optimiser.step()
    return net


def accuracy(net: nn.Module, x: Tensor, y: Tensor) -> float:
    return float((net(x).argmax(1) == y).float().mean())


def test_between_cross_entropy_and_absolute_error() -> None:
    logits, labels = torch.randn(5, 4, generator=torch.Generator().manual_seed(0)), torch.arange(5) % 4
    assert float(forgiving(logits, labels, q=1e-4)) == pytest.approx(float(F.cross_entropy(logits, labels)), rel=1e-3)
    right = logits.softmax(1)[torch.arange(5), labels]
    assert float(forgiving(logits, labels, q=1.0)) == pytest.approx(float((1 - right).mean()), rel=1e-5)
    with pytest.raises(ValueError, match="q lies in"):
        forgiving(logits, labels, q=0.0)
    assert believable(torch.tensor([5.0, 1.0]), 0.0).tolist() == [False, True]


def test_wrong_labels_do_less_harm() -> None:
    (x, y), (xt, yt) = digits("train", 600), digits("test", 300)
    wrong = torch.rand(len(y), generator=torch.Generator().manual_seed(1)) < 0.4
    noisy = torch.where(wrong, torch.randint(10, y.shape, generator=torch.Generator().manual_seed(2)), y)
    plain = accuracy(fit(lambda net: F.cross_entropy(net(x), noisy)), xt, yt)
    kind = accuracy(fit(lambda net: forgiving(net(x), noisy)), xt, yt)
    assert kind > plain + 0.05

    done = 0

    def trusting(net: nn.Module) -> Tensor:
        nonlocal done
        done += 1  # all are believed at first: what is right is learnt before what is wrong
        terms = F.cross_entropy(net(x), noisy, reduction="none")
        return terms[believable(terms, 1 - 0.4 * min(done / 40, 1))].mean()

    assert accuracy(fit(trusting), xt, yt) > plain


def test_misleading_inputs_stay_within_reach_and_mislead() -> None:
    (x, y), (xt, yt) = digits("train", 600), digits("test", 200)
    net = fit(lambda net: F.cross_entropy(net(x), y))
    net.zero_grad(set_to_none=True)

    def loss(values: Tensor) -> Tensor:
        return F.cross_entropy(net(values), yt)

    one, many = (
        mislead(loss, xt, reach=0.1),
        mislead(loss, xt, reach=0.1, steps=8, generator=torch.Generator().manual_seed(0)),
    )
    for changed in (one, many):
        assert (
            float((changed - xt).abs().max()) <= 0.1 + 1e-6 and float(changed.min()) >= 0 and float(changed.max()) <= 1
        )
    assert float(loss(many)) >= 0.98 * float(loss(one)) > float(loss(xt))
    assert all(p.grad is None for p in net.parameters())
    assert torch.equal(mislead(loss, xt, reach=0.0), xt)
    hardened = fit(lambda net: F.cross_entropy(net(mislead(lambda v: F.cross_entropy(net(v), y), x, reach=0.1)), y))
    before = accuracy(net, one, yt)
    after = accuracy(hardened, mislead(lambda v: F.cross_entropy(hardened(v), yt), xt, reach=0.1), yt)
    assert after > before + 0.05 and accuracy(hardened, xt, yt) > 0.85
    with pytest.raises(ValueError, match="at least 1 step"):
        mislead(loss, xt, reach=0.1, steps=0)


def test_pairs_that_differ_pull_apart() -> None:
    labels, twins = torch.tensor([0, 1]), torch.tensor([1, 1])
    flat = torch.zeros(2, 2)
    both = float(F.cross_entropy(flat, labels))
    assert float(counterfactual(flat, flat, twins, twins)) == pytest.approx(both)
    assert float(counterfactual(flat, flat, labels, twins)) == pytest.approx(
        both + float(F.softplus(torch.tensor(1.0)))
    )
    sure, other = torch.tensor([[9.0, -9.0], [-9.0, 9.0]]), torch.tensor([[-9.0, 9.0], [-9.0, 9.0]])
    assert float(counterfactual(sure, other, labels, twins)) < 1e-3
