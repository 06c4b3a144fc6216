"""The training loop: draw, losses, step, average, checkpoint; exact resume; a saved model at the end.

The same command continues a cut run to the bit, on one machine and one thread count.
"""

from __future__ import annotations

import contextlib
import json
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from assay.catalog import nearest
from assay.models.folder import save_native
from assay.training import distributed
from assay.training.balance import Fixed
from assay.training.checkpoint import FILE, read_checkpoint, write_checkpoint
from assay.training.optim import Average, optimisers, rate_at
from assay.training.recipe import Drawn, Progress, Recipe

OnProgress = Callable[[Progress], None]


class Diverged(ValueError):
    """A loss or a gradient that is no longer a number."""


def train(recipe: Recipe, *, out: str | Path, resume: bool = True, on_progress: OnProgress | None = None) -> Path:
    """Run a recipe to its end and return the folder with the model (open it with `assay.models.native.load_native`).

    ``out`` also gets ``checkpoint.pt`` and ``training.json`` (settings, losses and figures over time, seconds).
    Under ``torchrun`` all processes learn one net (`assay.training.distributed`).
    Ctrl-C ends the current step, leaves a checkpoint and raises `KeyboardInterrupt`. Raises `ValueError` when the
    folder's checkpoint belongs to other settings, `Diverged` (with the batch's sample ids) when the loss is not finite.
    """
    folder = Path(out)
    quiet = torch.random.fork_rng(devices=[])
    with distributed.processes(), quiet, _deterministic(), _one_step_at_a_time() as interrupted:
        run = _Run(recipe, folder, interrupted)
        run.start(read_checkpoint(folder, recipe.settings) if resume else None)
        while run.step < recipe.optim.steps and not run.waited_enough():
            run.advance(on_progress)
            if run.stop or (distributed.count() == 1 and interrupted.is_set()):
                run.keep()
                raise KeyboardInterrupt
            if run.step % recipe.checkpoint_every == 0:
                run.keep()
        run.keep()
        if distributed.leads():
            run.export()
        distributed.wait()
    return folder


class _Run:
    """The moving parts of one training run."""

    def __init__(self, recipe: Recipe, folder: Path, interrupted: threading.Event) -> None:
        self.recipe, self.folder = recipe, folder
        self.interrupted, self.stop = interrupted, False
        self.optimisers = optimisers(recipe.net, recipe.optim)
        self.peaks = [group["lr"] for optimiser in self.optimisers for group in optimiser.param_groups]
        self.average = Average(recipe.net, recipe.optim.average)
        self.step, self.seconds = 0, 0.0
        self.history: list[dict[str, float]] = []
        self.figures: dict[str, float] = {}
        self.balance = Fixed() if recipe.balance is None else recipe.balance
        if distributed.count() > 1 and not isinstance(self.balance, Fixed):
            raise ValueError(
                f"{type(self.balance).__name__} learns how losses are weighed, in one process only: use Fixed"
            )
        self.best: dict[str, Tensor] = {}
        self.since_best = 0

    def start(self, state: Mapping[str, Any] | None) -> None:
        """From the beginning, or from a checkpoint."""
        torch.manual_seed(self.recipe.seed + distributed.rank())
        if state is None:
            return
        if len(state["random"]) != distributed.count():
            raise ValueError(
                f"{self.folder / FILE} is of a run by {len(state['random'])} processes, here are {distributed.count()}: "
                "start as many, or train into another folder"
            )
        self.recipe.net.load_state_dict(state["net"])
        for optimiser, kept in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(kept)
        self.average.restore(state["average"])
        self.recipe.source.restore(state["source"])
        torch.set_rng_state(state["random"][distributed.rank()])
        self.step, self.seconds = int(state["step"]), float(state["seconds"])
        self.history, self.figures = list(state["history"]), dict(state["figures"])
        self.balance.restore(state["balance"])
        self.best, self.since_best = dict(state["best"]), int(state["since_best"])

    def keep(self) -> None:
        """Write the checkpoint; weights that are no numbers never take the place of good ones."""
        for name, value in self.recipe.net.state_dict().items():
            if value.is_floating_point() and not bool(value.isfinite().all()):
                raise Diverged(
                    f"the weights {name} are no numbers after step {self.step}; {self._good()}; try a lower lr"
                )
        state = {
            "settings": dict(self.recipe.settings),
            "net": self.recipe.net.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "average": self.average.values,
            "source": self.recipe.source.state(),
            "random": distributed.everyones(torch.get_rng_state()),
            "step": self.step,
            "seconds": self.seconds,
            "history": self.history,
            "figures": self.figures,
            "balance": self.balance.state(),
            "best": self.best,
            "since_best": self.since_best,
        }
        if distributed.leads():
            write_checkpoint(self.folder, state)
        distributed.wait()

    def advance(self, on_progress: OnProgress | None) -> None:
        """One step, and what is due after it."""
        began = time.perf_counter()
        losses = self._learn()
        self.step += 1
        optim, every = self.recipe.optim, self.recipe.validate_every
        if self.recipe.validate is not None and every and (self.step % every == 0 or self.step == optim.steps):
            self.figures = self._validate()
            self.history.append({"step": self.step, **losses, **self.figures})
            self._watch()
        self.seconds += time.perf_counter() - began
        if on_progress is not None:
            rate = self.step / max(self.seconds, 1e-9)
            on_progress(Progress(self.step, optim.steps, losses, self.figures, rate))

    def _learn(self) -> dict[str, float]:
        recipe = self.recipe
        groups = [group for optimiser in self.optimisers for group in optimiser.param_groups]
        for group, peak in zip(groups, self.peaks, strict=True):
            group["lr"] = peak * rate_at(self.step, recipe.optim)
        recipe.net.train()
        recipe.net.zero_grad(set_to_none=True)
        batches = [self._backward(drawn) for drawn in self._shared_out()]
        self.stop = distributed.sum_gradients(recipe.net.parameters(), flag=self.interrupted.is_set())
        norm = torch.nn.utils.clip_grad_norm_(recipe.net.parameters(), recipe.optim.clip_norm)
        ids = [name for _, drawn in batches for name in drawn.ids]
        self._check(norm, "gradient", ids, limit=recipe.optim.explode_norm)
        for optimiser in self.optimisers:
            optimiser.step()
        distributed.mean_buffers(recipe.net)
        self.average.update(recipe.net, self.step)
        found = [losses for losses, _ in batches]
        means = distributed.mean_values([sum(losses[name] for losses in found) / len(found) for name in found[0]])
        return dict(zip(found[0], means, strict=True))

    def _shared_out(self) -> Iterator[Drawn]:
        """This process's part of the step's batches. All are drawn, so that every process's source stays where the others' is."""
        for i in range(self.recipe.optim.accumulate * distributed.count()):
            drawn = self.recipe.source.draw()
            if i % distributed.count() == distributed.rank():
                yield drawn

    def _backward(self, drawn: Drawn) -> tuple[dict[str, float], Drawn]:
        """Add a batch's share to the gradients; the losses' values and the batch."""
        recipe = self.recipe
        with torch.autocast("cpu", torch.bfloat16, enabled=recipe.precision == "bf16"):
            losses = recipe.losses(recipe.net, drawn)
        total = torch.stack([value.float() for value in losses.values()]).sum()
        self._check(total, "loss", drawn.ids)
        share = recipe.optim.accumulate * distributed.count()
        self.balance.backward({name: value / share for name, value in losses.items()}, recipe.net)
        return {name: float(value.detach()) for name, value in losses.items()}, drawn

    def waited_enough(self) -> bool:
        """Whether the watched figure has not become better for as long as the recipe's patience."""
        return 0 < self.recipe.patience <= self.since_best

    def _watch(self) -> None:
        """Remember the averaged weights of the best validation so far."""
        recipe = self.recipe
        if not recipe.patience:
            return
        name = recipe.watch.removeprefix("-")
        if name not in self.figures:
            raise ValueError(f"no figure {name!r} to watch: {nearest(name, self.figures)}")
        sign = -1 if recipe.watch.startswith("-") else 1
        earlier = [sign * row[name] for row in self.history[:-1] if name in row]
        if not earlier or sign * self.figures[name] > max(earlier):
            self.best = {key: value.clone() for key, value in self.average.values.items()}
            self.since_best = 0
        else:
            self.since_best += 1

    def _check(self, value: Tensor, what: str, ids: Sequence[str], *, limit: float = math.inf) -> None:
        """`Diverged` for what is no number, or is beyond the limit."""
        size = float(value.detach())
        if math.isfinite(size) and size <= limit:
            return
        raise Diverged(
            f"the {what} of step {self.step + 1} is {size:.6g}; samples of the batch: {', '.join(ids[:20])}"
            f"{' …' if len(ids) > 20 else ''}; {self._good()}; try a lower lr, or precision=f32"
        )

    def _good(self) -> str:
        """Where to go on from."""
        good = self.folder / FILE
        return f"the last good checkpoint is {good}" if good.exists() else "there is no checkpoint yet"

    def _averaged(self) -> dict[str, Tensor]:
        own = {name: value.clone() for name, value in self.recipe.net.state_dict().items()}
        self.recipe.net.load_state_dict(self.average.values)
        return own

    def _validate(self) -> dict[str, float]:
        """The figures of the averaged weights; the net's own come back afterwards."""
        assert self.recipe.validate is not None
        own = self._averaged()
        self.recipe.net.eval()
        with torch.inference_mode():
            figures = dict(self.recipe.validate(self.recipe.net))
        self.recipe.net.load_state_dict(own)
        return figures

    def export(self) -> None:
        """The averaged weights (with patience those of the best validation) as a model, and the run's story."""
        own = self._averaged()
        if self.best:
            self.recipe.net.load_state_dict(self.best)
        about = {"recipe": self.recipe.name, "settings": dict(self.recipe.settings), **self.recipe.about}
        net = self.recipe.net if self.recipe.export is None else self.recipe.export(self.recipe.net)
        save_native(self.folder, net, self.recipe.processor, about=about)
        self.recipe.net.load_state_dict(own)
        story = {**about, "seconds": round(self.seconds, 1), "history": self.history}
        (self.folder / "training.json").write_text(json.dumps(story, indent=1) + "\n", encoding="utf-8")


@contextlib.contextmanager
def _deterministic() -> Iterator[None]:
    """Inside, operations take the same order of additions every time. Without, gradients gathered by several threads differ in
    their last bits when the machine is busy, and a resumed run from the run that was not cut.
    """
    before, warned = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warned)


@contextlib.contextmanager
def _one_step_at_a_time() -> Iterator[threading.Event]:
    """While inside, Ctrl-C (in the main thread) sets the event instead of cutting a step in two; twice cuts."""
    interrupted = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield interrupted
        return

    def note(number: int, frame: object) -> None:
        if interrupted.is_set():
            raise KeyboardInterrupt
        interrupted.set()

    previous = signal.signal(signal.SIGINT, note)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, previous)
