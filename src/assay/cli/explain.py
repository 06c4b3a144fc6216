"""``assay explain MODEL [DATA] [--image F] [--audio F] [--text T] [--choices a,b,c]``."""

from __future__ import annotations

from dataclasses import dataclass, field

from assay.cli.api import Api
from assay.cli.options import Command, arg
from assay.cli.output import print_json


@dataclass(frozen=True)
class Explain:
    """What a model's answer rests on: a map over each modality, its share, and whether the map is faithful."""

    model: str = arg("a model as `assay evaluate` takes it")
    data: str = arg("data as `assay evaluate` takes it", default="", positional=True)
    task: str | None = arg(
        "as of `assay evaluate` (default: the best of the choices, else what is written)", default=None
    )
    image: str | None = arg("a picture", default=None, metavar="FILE")
    audio: str | None = arg("a sound", default=None, metavar="FILE")
    text: str | None = arg("a text", default=None, metavar="TEXT")
    choices: str | None = arg("what to choose from, with commas between", default=None, metavar="A,B,C")
    target: str | None = arg("the choice to explain (default: the model's own)", default=None, metavar="CHOICE")
    method: str = arg(
        "occlusion, shapley, or integrated (gradients of pictures and words, for nets that assay trained)",
        default="occlusion",
    )
    limit: int = arg("the first so many samples of the data", default=8)
    seed: int = arg("of sampled orders", default=0)
    out: str | None = arg("a folder for explain.html and explain.json", default=None, metavar="DIR")
    json: bool = arg("print one JSON document", default=False)
    api: Api = field(default_factory=Api, metadata={"help": "for openai:MODEL@URL"})


def explain(options: Explain) -> int:
    """Prints the shares and the gaps, and where the page is."""
    from assay import explaining, verbs
    from assay.reporting.text import one_line

    choices = [c.strip() for c in (options.choices or "").split(",") if c.strip()]
    if options.choices is not None and len(choices) < 2:
        raise ValueError(f"--choices needs at least two, with commas between; got {options.choices!r}.")
    found = explaining.explain(
        verbs.load_model(options.model, endpoint=options.api.settings(options.model)),
        options.data or None,
        image=options.image,
        audio=options.audio,
        text=options.text,
        choices=choices,
        method=options.method,
        how=explaining.Explaining(options.task, options.target, options.limit, options.seed),
    )
    page = None if options.out is None else explaining.kept(found, options.out)
    if options.json:
        print_json(found.as_json())
        return 0
    for one in found.samples[:20]:
        shares = ", ".join(f"{each.grid.modality} {each.share:.0%}" for each in one.maps)
        print(f"{one_line(one.sample.id, 40)}: {one_line(one.answer, 80)}  ({shares})")
    for figure in found.estimates:
        name = figure.metric if figure.slice == "all" else f"{figure.metric} {figure.slice}"
        print(f"{name:<30} {figure.value:6.3f}  [{figure.low:.3f}, {figure.high:.3f}]  n={figure.n}")
    if page is not None:
        print(f"the maps: {page}")
    return 0


EXPLAIN = Command(
    "explain", Explain, explain, "assay explain assay:aligned --image cat.png --choices cat,dog,car --out maps"
)
