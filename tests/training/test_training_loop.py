"""The loop: it learns, resumes to the bit, refuses another run's checkpoint, and stops on nonsense by naming samples."""

import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from assay.data.batch import Batch, Part, Sampler
from assay.losses.classify import classify
from assay.models.fused import Fused, FusedSettings
from assay.models.native import load_native
from assay.models.processor import Processor
from assay.training.checkpoint import FILE, write_checkpoint
from assay.training.loop import Diverged, train
from assay.training.optim import OptimSettings
from assay.training.recipe import Progress, Recipe
from assay.types import Sample

COLOURS = ("red", "green", "blue")


@dataclass(frozen=True)
class Coloured:
    """Plain coloured squares and their colours."""

    batch: Batch
    labels: Tensor

    @property
    def ids(self) -> tuple[str, ...]:
        return self.batch.ids


class Colours:
    """A source of coloured squares; from ``broken_from`` on its pictures are not numbers."""

    def __init__(self, broken_from: int = 10**9) -> None:
        self.generator = torch.Generator().manual_seed(3)
        self.sampler = Sampler(30, 12, self.generator)
        self.drawn, self.broken_from = 0, broken_from

    def draw(self) -> Coloured:
        labels = self.sampler.draw() % 3
        pictures = 0.2 * torch.rand(len(labels), 3, 16, 16, generator=self.generator)
        pictures[torch.arange(len(labels)), labels] += 0.7
        if self.drawn >= self.broken_from:
            pictures *= float("nan")
        self.drawn += 1
        part = Part(torch.arange(len(labels)), pictures)
        return Coloured(Batch(tuple(f"square-{i}" for i in range(len(labels))), {"image": part}), labels)

    def state(self) -> dict[str, Any]:
        return {"generator": self.generator.get_state(), "drawn": self.drawn, **self.sampler.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        self.generator.set_state(state["generator"])
        self.drawn = state["drawn"]
        self.sampler.restore(state)


def recipe(steps: int = 12, **changes: Any) -> Recipe:
    torch.manual_seed(1)
    sizes = FusedSettings(COLOURS, dim=16, image_widths=(16, 16, 16), buckets=64, text_width=16, dropout=0.2)
    made = Recipe(
        name="squares",
        settings={"steps": steps, "lr": 0.01},
        net=Fused(sizes),
        processor=Processor(size_px=16, buckets=64),
        source=Colours(),
        losses=lambda net, drawn: {"classes": classify(net(drawn.batch), drawn.labels)},
        optim=OptimSettings(lr=0.01, steps=steps, average=0.8),
        precision="f32",
        checkpoint_every=4,
    )
    return replace(made, **changes)


class Square:
    """A picture in memory."""

    modality, source = "image", "memory"

    def __init__(self, colour: int) -> None:
        self.colour = colour

    def load(self) -> np.ndarray:
        picture = np.full((20, 14, 3), 20, dtype=np.uint8)
        picture[..., self.colour] = 220
        return picture


def weights(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


def test_it_learns_and_the_saved_model_answers(tmp_path: Path) -> None:
    model = load_native(train(recipe(40), out=tmp_path))
    samples = [Sample(str(i), {"image": Square(i)}) for i in range(3)]
    assert model.score(samples, COLOURS).argmax(1).tolist() == [0, 1, 2]


def test_progress_and_validation_are_told(tmp_path: Path) -> None:
    seen: list[Progress] = []
    checked = recipe(6, validate=lambda net: {"quality": 0.5}, validate_every=3)
    train(checked, out=tmp_path, on_progress=seen.append)
    assert [p.step for p in seen] == [1, 2, 3, 4, 5, 6]
    assert seen[1].figures == {} and seen[2].figures == {"quality": 0.5}
    assert set(seen[0].losses) == {"classes"} and seen[-1].rate_per_s > 0


@pytest.mark.parametrize("cut_after", [4, 7])
def test_a_cut_run_continues_to_the_bit(tmp_path: Path, cut_after: int) -> None:
    class Cut(Exception):
        pass

    def cut(progress: Progress) -> None:
        if progress.step == cut_after:
            raise Cut

    train(recipe(), out=tmp_path / "whole")
    with pytest.raises(Cut):
        train(recipe(), out=tmp_path / "cut", on_progress=cut)
    train(recipe(), out=tmp_path / "cut")
    assert weights(tmp_path / "cut") == weights(tmp_path / "whole")


def test_interrupting_leaves_a_checkpoint_that_continues_to_the_bit(tmp_path: Path) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.step == 6:
            os.kill(os.getpid(), signal.SIGINT)

    train(recipe(), out=tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(recipe(), out=tmp_path / "cut", on_progress=interrupt)
    steps: list[int] = []
    train(recipe(), out=tmp_path / "cut", on_progress=lambda progress: steps.append(progress.step))
    assert steps[0] == 7
    assert weights(tmp_path / "cut") == weights(tmp_path / "whole")


def test_a_run_that_is_done_is_not_done_again(tmp_path: Path) -> None:
    train(recipe(), out=tmp_path)
    before = weights(tmp_path)
    steps: list[int] = []
    train(recipe(), out=tmp_path, on_progress=lambda progress: steps.append(progress.step))
    assert steps == [] and weights(tmp_path) == before


def test_other_settings_are_refused_with_the_difference(tmp_path: Path) -> None:
    train(recipe(5), out=tmp_path)
    with pytest.raises(ValueError, match="steps: 5 there, 6 now"):
        train(recipe(6), out=tmp_path)
    train(recipe(6), out=tmp_path, resume=False)


def test_a_loss_that_is_no_number_stops_and_names_samples_and_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(Diverged, match=r"step 7 is nan.*square-0.*checkpoint\.pt"):
        train(recipe(source=Colours(broken_from=6)), out=tmp_path)
    assert not (tmp_path / "model.safetensors").exists()


def test_a_gradient_that_explodes_stops_and_names_samples_and_checkpoint(tmp_path: Path) -> None:
    def exploding(net: Fused, drawn: Coloured) -> dict[str, Tensor]:
        loss = classify(net(drawn.batch), drawn.labels)
        return {"classes": loss * (1e9 if exploding.steps > 5 else 1.0)}

    exploding.steps = 0
    with pytest.raises(Diverged, match=r"gradient of step 7 is [1-9].*e\+.*square-0.*checkpoint\.pt"):
        train(recipe(losses=exploding), out=tmp_path, on_progress=lambda p: setattr(exploding, "steps", p.step))


def test_weights_that_are_no_numbers_leave_the_good_checkpoint(tmp_path: Path) -> None:
    made = recipe()

    def spoil(progress: Progress) -> None:
        if progress.step == 8:
            next(made.net.parameters()).data.fill_(float("inf"))

    with pytest.raises(Diverged, match=r"are no numbers after step 8; the last good checkpoint"):
        train(made, out=tmp_path, on_progress=spoil)
    assert torch.load(tmp_path / FILE, weights_only=True)["step"] == 4


def test_a_broken_checkpoint_is_told(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"not a checkpoint")
    with pytest.raises(ValueError, match="cannot be read as a checkpoint"):
        train(recipe(), out=tmp_path)


def test_a_failing_disk_leaves_the_old_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_checkpoint(tmp_path, {"settings": {}, "step": 1})

    def fail(descriptor: int) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="full"):
        write_checkpoint(tmp_path, {"settings": {}, "step": 2})
    assert torch.load(tmp_path / FILE, weights_only=True)["step"] == 1
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_training_leaves_the_callers_random_state_alone(tmp_path: Path) -> None:
    made = recipe(2)
    before = torch.get_rng_state()
    train(made, out=tmp_path)
    assert torch.equal(torch.get_rng_state(), before)


def test_gradients_of_several_batches_add_up_to_their_mean(tmp_path: Path) -> None:
    """Two batches a step are one batch of twice the size, for a loss that is a mean and a net without batch norm."""

    class Line(Colours):
        def __init__(self, size: int) -> None:
            super().__init__()
            self.sampler = Sampler(24, size, self.generator)

        def draw(self) -> Any:
            chosen = self.sampler.draw()
            pictures = torch.zeros(len(chosen), 3, 16, 16)
            pictures[torch.arange(len(chosen)), chosen % 3] = 1.0
            rows = torch.arange(len(chosen))
            return Coloured(Batch(tuple(map(str, chosen.tolist())), {"image": Part(rows, pictures)}), chosen % 3)

    def loss(net: Any, drawn: Any) -> dict[str, Tensor]:
        flat = drawn.batch.parts["image"].values.mean((2, 3))
        return {"classes": classify(net.head(flat @ net.norm.weight[:3, None] * net.norm.weight), drawn.labels)}

    found = []
    for size, accumulate in ((12, 1), (6, 2)):
        made = recipe(steps=4)
        made = replace(made, source=Line(size), losses=loss, optim=replace(made.optim, accumulate=accumulate))
        train(made, out=tmp_path / str(size))
        found.append(made.net.head.weight.detach().clone())
    torch.testing.assert_close(found[0], found[1], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("kind,lr", [("sgd", 0.05), ("lion", 0.002), ("adamw", 0.01)])
@pytest.mark.parametrize("schedule", ["cosine", "linear", "constant"])
def test_every_optimiser_learns(tmp_path: Path, kind: str, lr: float, schedule: str) -> None:
    seen: list[Progress] = []
    made = recipe(steps=60)
    optim = replace(made.optim, kind=kind, lr=lr, schedule=schedule, matrix_lr=0.0, steps=60)
    train(replace(made, optim=optim), out=tmp_path, on_progress=seen.append)
    assert seen[-1].losses["classes"] < 0.5 * seen[0].losses["classes"]


def test_unknown_kinds_tell_the_nearest() -> None:
    with pytest.raises(ValueError, match="adamw"):
        OptimSettings(lr=1, steps=1, kind="adam_w")
    with pytest.raises(ValueError, match="cosine"):
        OptimSettings(lr=1, steps=1, schedule="cosin")
    with pytest.raises(ValueError, match="steps must be at least 1"):
        OptimSettings(lr=1, steps=0)


def test_patience_ends_a_run_with_its_best_weights(tmp_path: Path) -> None:
    figures = iter([0.1, 0.5, 0.4, 0.3, 0.9])
    kept: list[Tensor] = []

    def validate(net: Any) -> dict[str, float]:
        kept.append(net.head.weight.detach().clone())
        return {"accuracy": next(figures)}

    made = replace(recipe(steps=50), validate=validate, validate_every=2, patience=2, watch="accuracy")
    seen: list[Progress] = []
    train(made, out=tmp_path, on_progress=seen.append)
    assert seen[-1].step == 8 and len(kept) == 4
    torch.testing.assert_close(load_native(tmp_path).net.head.weight, kept[1], atol=1e-3, rtol=1e-3)
    with pytest.raises(ValueError, match="no figure 'acuracy' to watch: did you mean accuracy"):
        train(
            replace(recipe(), validate=lambda net: {"accuracy": 1.0}, validate_every=1, patience=1, watch="acuracy"),
            out=tmp_path / "b",
        )


@pytest.mark.parametrize("name", ["uncertainty", "pcgrad", "gradnorm"])
def test_a_balanced_run_resumes_to_the_bit(tmp_path: Path, name: str) -> None:
    from assay.training.balance import named

    def made() -> Recipe:
        base = recipe(steps=8)
        both = lambda net, drawn: {  # noqa: E731
            "classes": classify(net(drawn.batch), drawn.labels),
            "image": classify(net.alone(net.encode(drawn.batch).vectors)[:, 1], drawn.labels),
        }
        return replace(base, losses=both, balance=named(name, ("classes", "image"), base.net))

    whole = made()
    train(whole, out=tmp_path / "whole")

    class Cut(Exception):
        pass

    def cut(progress: Progress) -> None:
        if progress.step == 6:
            raise Cut

    with pytest.raises(Cut):
        train(made(), out=tmp_path / "cut", on_progress=cut)
    rest = made()
    train(rest, out=tmp_path / "cut")
    assert (tmp_path / "cut/model.safetensors").read_bytes() == (tmp_path / "whole/model.safetensors").read_bytes()
