"""Muon, the schedule, the average of the weights, and recipes' options."""

import pytest
import torch
from torch import nn

from assay.recipes.overrides import configure, parameters
from assay.training.optim import Average, OptimSettings, inner_matrices, optimisers, orthogonal, rate_at
from assay.training.recipe import Recipe


def test_orthogonal_keeps_directions_and_levels_their_sizes() -> None:
    generator = torch.Generator().manual_seed(0)
    matrix = torch.randn(40, 24, generator=generator) @ torch.diag(torch.logspace(0, 1, 24))
    made = orthogonal(matrix, 6)
    spread = torch.linalg.svdvals(made)
    assert float(spread.max()) < 1.4 and float(spread.min()) > 0.3
    u, _, vh = torch.linalg.svd(matrix, full_matrices=False)
    assert float((made * (u @ vh)).sum() / (made.norm() * (u @ vh).norm())) > 0.95


def test_every_weight_has_one_optimiser() -> None:
    net = nn.Sequential(
        nn.Conv2d(3, 32, 3), nn.Conv2d(32, 32, 3), nn.Embedding(50, 32), nn.Linear(32, 64), nn.Linear(64, 9)
    )
    chosen = inner_matrices(net)
    assert [tuple(w.shape) for w in chosen] == [(32, 32, 3, 3), (64, 32)]
    made = optimisers(net, OptimSettings(lr=0.1, steps=10))
    owned = [id(p) for optimiser in made for group in optimiser.param_groups for p in group["params"]]
    assert sorted(owned) == sorted(id(p) for p in net.parameters())
    assert len(optimisers(net, OptimSettings(lr=0.1, steps=10, matrix_lr=0))) == 1


@pytest.mark.parametrize("matrix_lr", [0.0, 0.05])
def test_both_optimisers_fit_a_line(matrix_lr: float) -> None:
    torch.manual_seed(0)
    net, x = nn.Linear(16, 16), torch.randn(64, 16)
    wanted = x @ torch.randn(16, 16) * 0.3
    settings = OptimSettings(lr=0.05, steps=150, matrix_lr=matrix_lr, weight_decay=0.0)
    made = optimisers(net, settings)
    peaks = [group["lr"] for optimiser in made for group in optimiser.param_groups]
    for step in range(settings.steps):
        loss = (net(x) - wanted).square().mean()
        net.zero_grad()
        loss.backward()
        groups = [group for optimiser in made for group in optimiser.param_groups]
        for group, peak in zip(groups, peaks, strict=True):
            group["lr"] = peak * rate_at(step, settings)
        for optimiser in made:
            optimiser.step()
    assert float(loss.detach()) < 0.02 * float(wanted.square().mean())


def test_the_schedule_rises_then_falls_to_zero() -> None:
    settings = OptimSettings(lr=1.0, steps=200, warmup=0.05)
    rates = [rate_at(step, settings) for step in range(200)]
    assert max(rates) == rates[9] == 1.0
    assert rates[:10] == sorted(rates[:10]) and rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] < 1e-3


def test_the_average_follows_the_weights() -> None:
    net = nn.Linear(1, 1)
    average = Average(net, longest=0.5)
    for value in (1.0, 2.0, 3.0):
        nn.init.constant_(net.weight, value)
        average.update(net, 100)
    start = average.values["weight"]
    assert 2.0 < float(start) < 3.0


def made(*, seed: int = 0, lr: float = 1e-3, fusion: str = "gated", deep: bool = False) -> Recipe:
    """A recipe that only tells what it was given."""
    raise RuntimeError(f"{seed!r} {lr!r} {fusion!r} {deep!r}")


def test_options_are_typed() -> None:
    with pytest.raises(RuntimeError, match="7 0.0003 'concat' True"):
        configure(made, {"seed": "7", "lr": "3e-4", "fusion": "concat", "deep": "yes"})
    with pytest.raises(RuntimeError, match="7 0.5 'gated' False"):
        configure(made, {"seed": 7, "lr": 0.5})


@pytest.mark.parametrize(
    ("overrides", "message"),
    [({"lrr": "1"}, "no option 'lrr'.*lr"), ({"seed": "x"}, "seed is a number"), ({"deep": "maybe"}, "true or false")],
)
def test_bad_options_are_told(overrides: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        configure(made, overrides)


def test_what_is_no_recipe_is_told() -> None:
    def wrong(*, lr: float = 1.0) -> Recipe:
        return lr  # type: ignore[return-value]

    with pytest.raises(ValueError, match=r"returned float.*Recipe"):
        configure(wrong, {})


def test_options_can_be_listed() -> None:
    assert parameters(made)["lr"] == "float = 0.001"
