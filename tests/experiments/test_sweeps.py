"""A sweep on a recipe of one's own over the bundled digits: each trial kept, pairs tested and corrected, going on where it was cut."""

import json

import pytest

from assay.cli import main
from assay.experiments.sweep import sweep
from assay.stats import holm

RECIPE = """
import torch
from torch import Tensor
from assay.data.batch import Batch, Part, Sampler
from assay.data.bundled import load
from assay.losses.classify import classify
from assay.models.fused import Fused, FusedSettings
from assay.models.processor import Processor
from assay.recipes.classified import Labelled
from assay.training.optim import OptimSettings
from assay.training.recipe import Recipe

class Source:
    def __init__(self, seed):
        data = load("digits", "train").first(120)
        self.processor = Processor(size_px=8)
        self.pictures = self.processor.values("image", [s.inputs["image"] for s in data.samples])
        self.labels = torch.tensor([int(s.target) for s in data.samples])
        self.generator = torch.Generator().manual_seed(seed)
        self.sampler = Sampler(len(self.labels), 32, self.generator)
    def draw(self):
        rows = self.sampler.draw()
        batch = Batch(tuple(map(str, rows.tolist())), {"image": Part(torch.arange(32), self.pictures[rows])})
        return Labelled(batch, self.labels[rows])
    def state(self):
        return {"generator": self.generator.get_state(), **self.sampler.state()}
    def restore(self, state):
        self.generator.set_state(state["generator"])
        self.sampler.restore(state)

def own(*, steps: int = 30, lr: float = 1e-2, fusion: str = "concat", seed: int = 0) -> Recipe:
    source = Source(seed)
    torch.manual_seed(seed)
    sizes = dict(dim=16, image_widths=(8, 16), buckets=64, text_width=16)
    net = Fused(FusedSettings(classes=tuple("0123456789"), fusion=fusion, **sizes))
    return Recipe(
        name="digits", settings={"steps": steps, "lr": lr, "fusion": fusion, "seed": seed}, net=net,
        processor=source.processor, source=source, seed=seed, precision="f32",
        losses=lambda net, drawn: {"classes": classify(net(drawn.batch), drawn.labels)},
        optim=OptimSettings(lr=lr, steps=steps, matrix_lr=0.0),
    )
"""


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    path = tmp_path_factory.mktemp("own") / "small.py"
    path.write_text(RECIPE)
    return f"{path}:own"


@pytest.fixture(scope="module")
def found(recipe, tmp_path_factory):
    out = tmp_path_factory.mktemp("sweep")
    values = {"fusion": ["average", "gated"], "lr": [1e-2, 1e-6]}
    return out, sweep(recipe, values, data="digits:test[:100]", task="classification", out=out)


def test_every_combination_is_trained_measured_and_compared(found):
    out, result = found
    assert [trial.name for trial in result.trials] == [
        f"fusion={fusion} lr={lr}" for fusion in ("average", "gated") for lr in (0.01, 1e-06)
    ]
    assert all((trial.folder / "model.safetensors").exists() for trial in result.trials)
    assert len(result.pairs) == 6 and "lr=0.01" in result.best.name
    values = [trial.run.headline.value for trial in result.trials]
    assert result.best.run.headline.value == max(values)
    corrected = holm([pair.row.p for pair in result.pairs])
    assert [pair.row.p_holm for pair in result.pairs] == pytest.approx(corrected.tolist())
    # What hardly learnt loses to what did, and the data can tell.
    assert set(result.beaten()) >= {"fusion=average lr=1e-06", "fusion=gated lr=1e-06"}
    kept = json.loads((out / "sweep.json").read_text())
    assert kept["best"] == result.best.name and len(kept["pairs"]) == 6
    page = (out / "sweep.html").read_text()
    assert "<svg" in page and "fusion=gated" in page


def test_the_same_sweep_again_trains_nothing_and_says_the_same(found, recipe):
    out, result = found
    values = {"fusion": ["average", "gated"], "lr": [1e-2, 1e-6]}
    steps = []
    again = sweep(
        recipe,
        values,
        data="digits:test[:100]",
        task="classification",
        out=out,
        on_trial=lambda name, step, of: steps.append(step),
    )
    assert steps == [] and again.as_json() == result.as_json()


@pytest.mark.parametrize(
    "values,told",
    [
        ({"fusion": ["concat"]}, "at least two different combinations, got fusion=concat"),
        ({}, "at least two different"),
        ({"fusion": ["concat", "gatde"]}, "did you mean gated"),
        ({"fusoin": ["concat", "gated"]}, "did you mean fusion"),
        ({"lr": ["1e-2", "fast"]}, "lr is a number"),
        ({"steps": [1, 2]}, "steps cannot both vary and be fixed"),
    ],
)
def test_what_cannot_be_swept_is_told_before_anything_is_trained(recipe, tmp_path, values, told):
    with pytest.raises(ValueError, match=told):
        sweep(recipe, values, data="digits:test[:20]", out=tmp_path, settings={"steps": 1})
    assert list(tmp_path.iterdir()) == []


def test_the_command_line_prints_trials_and_pairs(recipe, tmp_path, capsys):
    words = ["train", recipe, "steps=2", "--sweep", "fusion=average,gated", "--on", "digits:test[:30]"]
    assert main([*words, "--out", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "fusion=average" in told and "p (Holm)" in told and str(tmp_path / "sweep.html") in told
    assert main([*words, "--out", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["data"] == "digits:test[:30]"
    assert main(["train", recipe, "--on", "digits:test"]) == 2
    assert main(["train", recipe, "--sweep", "fusion=average,gated"]) == 2
    assert "say which data to measure on" in capsys.readouterr().err
