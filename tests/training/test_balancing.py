"""Balances of losses and of modalities against their formulas, and what they are for."""

import math

import pytest
import torch
from torch import nn

from assay.training import balance, modality


def two_tasks() -> tuple[nn.Linear, dict[str, torch.Tensor]]:
    torch.manual_seed(0)
    net = nn.Linear(3, 2)
    x = torch.randn(8, 3)
    out = net(x)
    return net, {"a": (out[:, 0] - 1).square().mean(), "b": 10 * (out[:, 1] + x[:, 0]).square().mean()}


def test_fixed_weights_are_the_weighted_sum() -> None:
    net, losses = two_tasks()
    expected = torch.autograd.grad(losses["a"] + 3 * losses["b"], net.weight, retain_graph=True)[0]
    balance.Fixed({"b": 3.0}).backward(losses, net)
    torch.testing.assert_close(net.weight.grad, expected)


def test_uncertainty_starts_as_the_sum_and_finds_the_inverse_size() -> None:
    net, losses = two_tasks()
    weigh = balance.Uncertainty(("a", "b"), lr=0.05)
    assert float(weigh.total(losses).detach()) == pytest.approx(float((losses["a"] + losses["b"]).detach()))
    constant = {"a": torch.tensor(0.2, requires_grad=True), "b": torch.tensor(4.0, requires_grad=True)}
    for _ in range(800):
        weigh.backward(constant, net)
    # e^-s L + s/2 is least where e^s = 2 L.
    assert weigh.log_variances.detach().exp().tolist() == pytest.approx([0.4, 8.0], rel=0.02)
    with pytest.raises(ValueError, match="'c' was not announced"):
        weigh.total({"c": torch.tensor(1.0)})
    half = balance.Uncertainty(("a",), regressions=("a",))
    assert float(half.total({"a": torch.tensor(2.0)}).detach()) == pytest.approx(1.0)


def test_gradnorm_evens_out_the_gradients() -> None:
    net, _ = two_tasks()
    weigh = balance.GradNorm(("a", "b"), [net.weight], alpha=0.0, lr=0.02)
    x = torch.randn(64, 3, generator=torch.Generator().manual_seed(1))

    def sizes() -> list[float]:
        out = net(x)
        tasks = ((out[:, 0] - 1).square().mean(), 10 * (out[:, 1] + x[:, 0]).square().mean())
        grads = [torch.autograd.grad(t, net.weight, retain_graph=True)[0].norm() for t in tasks]
        return [float(w * g) for w, g in zip(weigh.weights.detach(), grads, strict=True)]

    before = sizes()
    for _ in range(300):
        out = net(x)
        weigh.backward({"a": (out[:, 0] - 1).square().mean(), "b": 10 * (out[:, 1] + x[:, 0]).square().mean()}, net)
    after = sizes()
    assert max(before) / min(before) > 3 and max(after) / min(after) < 1.2
    assert float(weigh.weights.detach().sum()) == pytest.approx(2.0, rel=1e-5)
    with pytest.raises(ValueError, match="b is missing"):
        weigh.backward({"a": net(x).sum()}, net)


def test_pcgrad_leaves_no_conflict_and_agreement_alone() -> None:
    generator = torch.Generator().manual_seed(0)
    agreeing = torch.tensor([[1.0, 0.5], [0.5, 1.0]])
    torch.testing.assert_close(balance.without_conflicts(agreeing, generator), agreeing)
    opposed = torch.randn(2, 5, generator=generator)
    opposed[1] = -opposed[0] + 0.1 * torch.randn(5, generator=generator)
    projected = balance.without_conflicts(opposed, generator)
    assert float(projected[0] @ opposed[1]) >= -1e-5 and float(projected[1] @ opposed[0]) >= -1e-5
    net, losses = two_tasks()
    alone = [
        torch.cat([g.flatten() for g in torch.autograd.grad(v, net.parameters(), retain_graph=True)])
        for v in losses.values()
    ]
    balance.PCGrad(torch.Generator().manual_seed(3)).backward(losses, net)
    got = torch.cat([p.grad.flatten() for p in net.parameters()])
    torch.testing.assert_close(
        got, balance.without_conflicts(torch.stack(alone), torch.Generator().manual_seed(3)).sum(0)
    )


@pytest.mark.parametrize("name", balance.BALANCES)
def test_a_kept_balance_goes_on_to_the_bit(name: str) -> None:
    def run(steps: int, state=None):
        torch.manual_seed(0)
        net = nn.Linear(3, 2)
        weigh = balance.named(name, ("a", "b"), net)
        if state is not None:
            net.load_state_dict(state[0])
            weigh.restore(state[1])
        x = torch.linspace(-1, 1, 12).view(4, 3)
        for _ in range(steps):
            net.zero_grad()
            out = net(x)
            weigh.backward({"a": out[:, 0].square().mean(), "b": (out - 1).square().mean()}, net)
            with torch.no_grad():
                for p in net.parameters():
                    p -= 0.05 * p.grad
        return {k: v.clone() for k, v in net.state_dict().items()}, weigh.state()

    whole = run(6)
    cut = run(3, run(3))
    assert all(torch.equal(whole[0][k], cut[0][k]) for k in whole[0])


def test_an_unknown_balance_tells_the_nearest() -> None:
    with pytest.raises(ValueError, match="gradnorm"):
        balance.named("gradnrm", ("a",), nn.Linear(1, 1))


def test_ogm_slows_the_modality_that_is_ahead() -> None:
    labels = torch.tensor([0, 1])
    sure = torch.tensor([[5.0, 0.0], [0.0, 5.0]])
    unsure = torch.zeros(2, 2)
    factors = modality.modulation({"image": sure, "audio": unsure}, labels, alpha=0.5)
    ratio = float(sure.softmax(1)[0, 0]) / 0.5
    assert factors["image"] == pytest.approx(1 - math.tanh(0.5 * ratio), rel=1e-5) and factors["audio"] == 1.0
    assert modality.modulation({"image": sure}, labels) == {"image": 1.0}
    encoders = {"image": nn.Linear(4, 4), "audio": nn.Linear(4, 4)}
    for encoder in encoders.values():
        encoder(torch.ones(1, 4)).sum().backward()
    modality.modulate(encoders, factors)
    torch.testing.assert_close(encoders["image"].weight.grad, torch.full((4, 4), factors["image"]))
    torch.testing.assert_close(encoders["audio"].weight.grad, torch.ones(4, 4))
    encoders["audio"].weight.grad = torch.randn(4, 4, generator=torch.Generator().manual_seed(1))
    before = encoders["audio"].weight.grad.clone()
    modality.modulate({"audio": encoders["audio"]}, factors, torch.Generator().manual_seed(0))
    assert not torch.equal(before, encoders["audio"].weight.grad)
    torch.testing.assert_close(encoders["audio"].bias.grad, torch.ones(4))


def test_blending_weighs_what_generalises() -> None:
    weights = modality.blend_weights({"a": (2.0, 1.0), "b": (2.0, 1.0)}, {"a": (2.0, 1.5), "b": (2.0, 1.75)})
    # a: drop .5, gap grew .5 -> 2; b: drop .25, gap grew .75 -> .444…
    assert weights["a"] / weights["b"] == pytest.approx(2 / (0.25 / 0.75**2)) and sum(
        weights.values()
    ) == pytest.approx(1)
    worse = modality.blend_weights({"a": (2.0, 1.0), "b": (2.0, 1.0)}, {"a": (2.0, 2.5), "b": (2.0, 1.5)})
    assert worse == {"a": 0.0, "b": 1.0}
    bench = modality.blend_weights({"a": (2.0, 1.0)}, {"a": (2.0, 1.5)}, variant="multibench")
    assert bench == {"a": 1.0}
    with pytest.raises(ValueError, match="same heads"):
        modality.blend_weights({"a": (1.0, 1.0)}, {"b": (1.0, 1.0)})
