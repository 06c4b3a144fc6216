"""The composition root: what a user can say, from Python and from the command line. Only this file and `cli` see all rooms."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.catalog import DATASETS, MODELS, READERS, SCHEMES, attribute, find, nearest, offered, plugin
from assay.data.dataset import Dataset
from assay.types import HasFacts, Media, Model, Sample, Told

if TYPE_CHECKING:
    from assay.client.settings import Settings
    from assay.evaluation.compare import Comparison
    from assay.evaluation.gate import Gate
    from assay.evaluation.how import How
    from assay.evaluation.prepare import Prepared
    from assay.evaluation.run import Run
    from assay.evaluation.scored import Scored
    from assay.evaluation.speed.bench import Bench, Effort
    from assay.serving.answer import Answer
    from assay.serving.search import Found

VOCABULARY = "emoji:all"
Progress = Callable[[int, int, int], None]  # done, planned, failed


def load_dataset(name: str | Path | Dataset, *, columns: Mapping[str, str] | None = None) -> Dataset:
    """A data set by name (``emoji``, ``emoji:test-concepts``, ``easy-vqa:test``, ``digits``), or one of your own: a folder with a
    manifest or a folder for each class, a CSV, JSONL or Parquet file (``columns`` says which column is what, where that is not
    plain), or one in a published layout (`assay.catalog.READERS`): ``vqa:QUESTIONS,ANNOTATIONS,IMAGES``, ``coco:ANNOTATIONS,IMAGES``,
    ``karpathy:FILE,IMAGES[,SPLIT]``, ``flickr30k:TOKENS,IMAGES``, ``webdataset:SHARDS``, ``hf:FOLDER_OR_NAME[:SPLIT]``,
    ``activitynet:ANNOTATIONS,FILMS``; or a benchmark by its card: ``pope:DIR``, ``mmbench:FILE``, ``card:my.toml``.

    ``digits[:50]`` is the first fifty samples, ``emoji[::2]`` every second concept.
    An unknown name or split is a `ValueError` that tells its nearest neighbours.

    >>> load_dataset("digits:test").choices[:3]
    ('0', '1', '2')
    """
    if isinstance(name, Dataset):
        return name
    from assay.data.named import named_dataset

    return named_dataset(str(name), columns)


def load_model(
    name: str | Path | Model | Callable[..., Any], *, train: str = "emoji:train", endpoint: Settings | None = None
) -> Model:
    """A model by name: ``assay:aligned`` (shipped), ``baseline:words`` (fitted on ``train``), the folder of a trained one, one of the
    Transformers library (``hf:org/name``, ``hf:FOLDER``, ``hf:FOLDER?dtype=bfloat16&batch=8``), small real weights
    (``pretrained:minilm``), code of your own (``py:package.module:function``, ``py:path/to/file.py:function``) or of an installed
    package (an entry point of the group ``assay.models``), answers made elsewhere (``predictions:FILE``), or ``openai:MODEL@URL``, a
    server that speaks OpenAI's language, asked as ``endpoint`` says (`assay.client.settings.Settings`).

    What already is a model is given back as it is; a function, or an object with ``embed``, ``score`` or ``generate``, is made one.
    """
    if not isinstance(name, str | Path):
        return attribute("assay.models.callable:as_model")(name)  # type: ignore[no-any-return]
    scheme, _, rest = str(name).partition(":")
    if scheme in SCHEMES:
        asked = (endpoint,) if scheme == "openai" else ()
        return attribute(SCHEMES[scheme])(str(name), *asked)  # type: ignore[no-any-return]
    if scheme in ("assay", "baseline"):
        return find("model", str(name), MODELS)(rest if scheme == "assay" else load_dataset(train))  # type: ignore[no-any-return]
    if Path(name).is_dir():
        return attribute("assay.models.native:load_native")(name)  # type: ignore[no-any-return]
    made = plugin("model", str(name)) or plugin("model", scheme)
    if made is None:
        known = {*MODELS, *offered("model")}
        raise ValueError(f"unknown model {str(name)!r}, and no folder of that name: {nearest(str(name), known)}")
    return attribute("assay.models.callable:as_model")(made(rest))  # type: ignore[no-any-return]


def train(
    recipe: str | Callable[..., Any], *, out: str | Path | None = None, on_progress: Any = None, **settings: Any
) -> Model:
    """Trains by a recipe (``"aligned:emoji"``, ``"my.py:function"``, or the function itself) and gives back the model.

    ``settings`` override the recipe's hyper-parameters (``lr=3e-4``). The folder ``out`` (default ``runs/train/NAME``) keeps weights
    and checkpoint: the same call goes on where it was cut. An unknown setting is a `ValueError` with its nearest name.
    """
    from assay.models.native import load_native
    from assay.recipes.named import recipe_function, train_folder
    from assay.recipes.overrides import configure
    from assay.training.loop import train as fit

    function, name = recipe_function(recipe)
    folder = Path(out) if out is not None else train_folder(name)
    return load_native(fit(configure(function, settings), out=folder, on_progress=on_progress))


def prepare(
    model: str | Path | Model | Callable[..., Any],
    data: str | Path | Dataset,
    *,
    task: str | None = None,
    limit: int | None = None,
    conditions: Sequence[str] | None = None,
    columns: Mapping[str, str] | None = None,
    probes: Sequence[str] = (),
    how: How | None = None,
) -> Prepared:
    """Loads what `evaluate` was asked for; its arguments are explained there."""
    from assay.evaluation.how import How as Plainly
    from assay.evaluation.prepare import Prepared, Request, as_told, asked_task, make_task, selected, tell_unlabelled

    how = Plainly() if how is None else how
    request = Request(
        data=named(data),
        columns=dict(columns or {}),
        limit=limit,
        sample=how.sample,
        seed=how.seed,
        conditions=None if conditions is None else tuple(conditions),
        probes=tuple(probes),
        repeats=how.repeats,
    )
    dataset = selected(load_dataset(data, columns=columns), request)
    base = dataset.name.partition(":")[0].partition("[")[0]
    started = time.perf_counter()
    load = partial(load_model, model, train=f"{base}:train" if base in DATASETS else "emoji:train")
    loaded = load()
    load_s = time.perf_counter() - started if isinstance(model, str | Path) else None
    request = replace(request, task=asked_task(task, loaded, dataset))
    if isinstance(loaded, Told):
        # Whoever gave these answers has seen the media; that they are whole is not to be checked here.
        request, dataset = as_told(loaded, dataset, request), replace(dataset, checked=True)
    asked = make_task(dataset, request)
    tell_unlabelled(asked, dataset)
    if probes:
        asked = replace(asked, probing=attribute("assay.probes.probe:probing")(asked, loaded, probes, seed=how.seed))
    return Prepared(loaded, asked, load_s, request if request.data else None, how, load)


def named(data: str | Path | Dataset) -> str:
    """The name by which data can be found again, empty for an object of a user's own."""
    if not isinstance(data, Dataset):
        return str(Path(data).absolute()) if Path(data).exists() else str(data)
    return data.name if data.name.partition(":")[0].partition("[")[0] in DATASETS else ""


def evaluate(
    model: str | Path | Model | Callable[..., Any],
    data: str | Path | Dataset,
    *,
    task: str | None = None,
    out: str | Path | None = None,
    limit: int | None = None,
    conditions: Sequence[str] | None = None,
    probes: Sequence[str] = (),
    how: How | None = None,
) -> Run:
    """Measures a model on data: every figure with its interval, its n and what is missing.

    ``task`` is ``retrieval``, ``classification``, ``zeroshot``, ``vqa``, ``captioning``, ``naming`` or
    ``transcription`` (default: the usual one).
    With ``out`` the run is kept in that folder, and the same call goes on where it was cut. ``limit`` takes
    the first samples only. ``conditions`` are asked instead of the task's own (``["clean", "only:image"]``). ``probes`` are
    questions of `assay.catalog.PROBES` (or ``["all"]``) whose figures come along; what model or data cannot serve is skipped by name
    (``run.manifest.skipped``). ``how=assay.How(…)`` sets the seed, takes samples by chance, repeats, shards, sets deadlines and workers.

    >>> run = evaluate("baseline:chance", "digits:test", task="classification", limit=50)
    >>> run.estimates[0].metric, run.estimates[0].slice
    ('accuracy', 'all')
    """
    prepared = prepare(model, data, task=task, limit=limit, conditions=conditions, probes=probes, how=how)
    return evaluate_prepared(prepared, out=out)


def evaluate_prepared(
    prepared: Prepared,
    *,
    out: str | Path | None = None,
    on_progress: Progress | None = None,
    speed: bool | None = None,
) -> Run:
    """The run of what was prepared; ``speed`` measures the latency of single samples too, about a second.

    By default only that of a net that runs here (one that knows its size): other models may cost money, and are asked once.
    """
    from assay.evaluation.evaluate import Session
    from assay.evaluation.evaluate import evaluate as run_task

    return run_task(
        prepared.model,
        prepared.task,
        out=out,
        seed=prepared.how.seed,
        on_progress=on_progress,
        speed=isinstance(prepared.model, HasFacts) if speed is None else speed,
        session=Session(prepared.how, prepared.load, prepared.load_s, prepared.request),
    )


def bench(
    models: str | Path | Sequence[str | Path | Model | Callable[..., Any]],
    data: str | Path | Dataset,
    *,
    task: str | None = None,
    limit: int | None = None,
    columns: Mapping[str, str] | None = None,
    effort: Effort | None = None,
    how: How | None = None,
    cost: str = "latency_p50_s",
) -> tuple[list[Bench], list[dict[str, Any]]]:
    """What answering costs each of ``models``; of several also a row each of quality (the task's first figure) against ``cost``, cheapest
    first, with those by whom it is dominated. ``effort`` says how much is asked (`assay.evaluation.speed.bench.Effort`)."""
    from assay.evaluation.speed.bench import bench as measure
    from assay.evaluation.speed.pareto import Offer, check_cost, pareto

    check_cost(cost)
    several = [models] if isinstance(models, str | Path) else list(models)
    ready = [prepare(one, data, task=task, limit=limit, columns=columns, how=how) for one in several]
    found = [measure(one, effort) for one in ready]
    if len(found) == 1:
        return found, []
    scores = [evaluate_prepared(one, speed=False).estimates[0] for one in ready]
    better = ready[0].task.metrics[0].better
    return found, pareto(
        [Offer(one.model, score, one.cost(cost), better) for one, score in zip(found, scores, strict=True)]
    )


def load_run(folder: str | Path | Run) -> Run:
    """A run that was kept in a folder."""
    from assay.evaluation.run import load_run as read

    return read(folder) if isinstance(folder, str | Path) else folder


def compare(a: str | Path | Run, b: str | Path | Run, *, margin: float | None = None) -> Comparison:
    """Is ``b`` better than ``a``? Paired by sample, per metric, corrected for the number of comparisons, with a verdict.

    ``margin`` is the difference that would not matter: within it the verdict can be *equivalent*.
    """
    from assay.evaluation.compare import compare as paired

    return paired(load_run(a), load_run(b), margin=margin)


def gate(
    run: str | Path | Run,
    baseline: str | Path | Run,
    *,
    metric: str | None = None,
    margin: float = 0.0,
    slice: str = "all",
) -> Gate:
    """May ``run`` pass? Its paired difference to ``baseline`` by ``metric`` (None: the first that both have) against a margin.

    ``outcome`` is *pass* if the interval lies at or above -``margin`` (in the metric's own direction), *fail* if it lies below,
    else *inconclusive*; ``exit_code`` is 0, 1 or 4.
    """
    from assay.evaluation.gate import gate as hold

    return hold(load_run(run), load_run(baseline), metric=metric, margin=margin, slice=slice)


def score(
    *files: str | Path,
    metrics: Sequence[str] = (),
    by: Sequence[str] = (),
    unit: str | None = None,
    out: str | Path | None = None,
    baseline: str | Path | None = None,
    margin: float | None = None,
    seed: int = 0,
) -> Scored:
    """Measures the answers in a file: JSONL, COCO results or VQA results; `assay.evaluation.scored.score` tells the rest.

    ``files`` are the answers, then the references where these stand elsewhere (for COCO and VQA the annotations), then for VQA
    the questions. ``metrics`` are names (default: the usual ones for the file).
    """
    from assay.evaluation.scored import Asked
    from assay.evaluation.scored import score as score_files

    asked = Asked(tuple(files), tuple(metrics), tuple(by), unit, seed)
    return score_files(asked, out=out, baseline=baseline, margin=margin)


def report(runs: Run | str | Path | Sequence[Run | str | Path], path: str | Path, *, title: str = "") -> Path:
    """Writes one HTML file about one run or several: scorecard, verdicts, plots, slices, the samples behind the figures."""
    from assay.reporting import html

    several = [runs] if not isinstance(runs, Sequence) or isinstance(runs, str) else runs
    return html.write(report_content([load_run(r) for r in several], title=title), path)


def report_content(
    runs: Sequence[Run],
    *,
    compared: Sequence[Comparison] | None = None,
    title: str = "",
    commands: Sequence[str] = (),
) -> Any:
    """What a report of ``runs`` shows: data sets are looked up by the runs' manifests, models on the same task are compared.

    ``compared`` are the comparisons of the runs where they were made already.
    """
    from assay.reporting.build import content

    datasets = {}
    for run in runs:
        name = run.manifest.data
        whole = name.partition("[")[0]
        if name not in datasets and (whole.partition(":")[0] in {**DATASETS, **READERS} or Path(whole).exists()):
            datasets[name] = load_dataset(name)
    found = comparisons(runs) if compared is None else compared
    return content(runs, comparisons=found, datasets=datasets, title=title, commands=commands)


def comparisons(runs: Sequence[Run]) -> list[Comparison]:
    """The comparisons of runs on the same task and data: of every two models, and of each with the strongest baseline."""
    from assay.evaluation.pairs import pairs

    return [compare(a, b) for a, b in pairs(runs)]


def sample_of(*, image: Any = None, audio: Any = None, text: str | None = None) -> Sample:
    """A sample from a picture, a sound, a text. Picture and sound: a path, the bytes of a file, media; a picture also as an array
    ``uint8[H, W, 3]``. At least one must be given, and each is read at once, so that a broken one is told here.
    """
    from assay.data.media import Audio, Image

    inputs: dict[str, Media | str] = {}
    if text is not None:
        if not text.strip():
            raise ValueError("the text is empty.")
        inputs["text"] = text
    if image is not None:
        inputs["image"] = image if isinstance(image, Image) else Image(image)
    if audio is not None:
        inputs["audio"] = audio if isinstance(audio, Audio) else Audio(audio)
    if not inputs:
        raise ValueError("nothing was given: expected a picture, a sound or a text.")
    for medium in inputs.values():
        if not isinstance(medium, str):
            medium.load()
    return Sample("query", inputs)


def predict(
    model: str | Path | Model,
    *,
    image: Any = None,
    audio: Any = None,
    text: str | None = None,
    ask: str | None = None,
    describe: bool | str = False,
    choices: Sequence[str] = (),
    names: str | Dataset = VOCABULARY,
) -> Answer:
    """What a model says of a picture, a sound, a text, or several at once.

    A model that writes answers the question ``ask``, or describes (``describe="zh"``: in Chinese); one whose modalities share a space
    gives the nearest of the names in the data ``names``; one that scores gives the probabilities of ``choices`` (or of its own classes).
    Guesses come best first, at most `assay.serving.answer.KEPT`. ``answer.sentence`` is the answer in one line. `ValueError` when the
    model cannot do what is asked for.
    """
    from assay.serving.answer import answer, asked

    loaded = load_model(model)
    words = asked(loaded, ask, describe)
    if words is not None and text is not None:
        raise ValueError(
            "give a text or a request (ask, describe), not both: a request is the text that a model answers to."
        )
    sample = sample_of(image=image, audio=audio, text=text if words is None else words)
    told = vocabulary(load_dataset(names)) if words is None else []
    return answer(loaded, sample, choices=tuple(choices), names=told, write=True if words is not None else None)


def vocabulary(data: Dataset) -> list[str]:
    """The distinct English names in a data set, in its order."""
    return list(dict.fromkeys(s.references[0] for s in data.samples if s.references))


def search(
    model: str | Path | Model,
    data: str | Dataset,
    text: str | None = None,
    *,
    image: Any = None,
    audio: Any = None,
    among: str = "image",
    k: int = 10,
) -> Found:
    """The ``k`` best matches in ``data`` for a text, a picture or a sound (exactly one), among its pictures (or ``text``, ``audio``)."""
    from assay.serving.search import search as look

    if sum(q is not None for q in (text, image, audio)) != 1:
        raise ValueError("search by exactly one of: a text, a picture, a sound.")
    query = sample_of(image=image, audio=audio, text=text)
    return look(load_model(model), load_dataset(data).samples, query, among=among, k=k)
