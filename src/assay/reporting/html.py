"""One HTML file that a person reads: no script, no network, light and dark, for eyes, ears, keyboards and paper.

Every string passes `assay.reporting.text.clean` on its way out and is then escaped by Jinja2; a content security policy in the page forbids
scripts and requests even if both failed.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from assay import version
from assay.evaluation.exports import write_atomically
from assay.reporting import figures, notation, selection, text, verdict
from assay.reporting.content import BASELINE, BEST, WORST, Clip, Example, ReportContent, Score
from assay.reporting.embed import LEFT_OUT, embedded

KINDS = ((WORST, "Worst"), (BEST, "Best"))
BREAKS = re.compile(r"((?<!:):(?!:)|[/_]|(?=\[))")
SECTIONS = {
    "verdict": "Verdict",
    "scorecard": "Scorecard",
    "card": "What the model is made of",
    "modalities": "Each modality alone, and together",
    "differences": "Paired differences",
    "slices": "By slice",
    "cost": "Quality and cost",
    "examples": "Worst and best",
    "making": "How it was made",
}


def render(content: ReportContent) -> str:
    """The report as one HTML document. The plots take about two seconds, most of it Vega's start."""
    signatures = selection.unique(s.estimate.signature for s in content.scores if s.estimate.signature)
    boards = {task: selection.headline_board(content, task) for task in selection.tasks(content)}
    by_model = _by_model(content)
    media = embedded([clip for found in by_model.values() for example in found for clip in _clips(example)])
    page = environment().get_template("page.html.j2")
    return page.render(
        content=content,
        sections=_sections(content),
        boards=boards,
        own_models=[card for card in selection.cards(content) if card.name in selection.own(content)],
        baselines={card.name for card in selection.cards(content) if card.role == BASELINE},
        pairs=verdict.main(content),
        examples_by_model=by_model,
        drawn=figures.draw(figures.figures(content)),
        looks=figures.looks(content),
        signatures={signature: number for number, signature in enumerate(signatures, 1)},
        media=media,
        left_out=sum(one.why == LEFT_OUT for one in media.values()),
        kinds=KINDS,
        version=version.__version__,
    )


def _sections(content: ReportContent) -> list[tuple[str, str]]:
    """The page's sections that have something to say: their template's name, which is their anchor, and their title."""
    names = selection.tasks(content)
    boards = [selection.condition_board(content, task) for task in names]
    has = {
        "verdict": True,
        "scorecard": bool(names),
        "card": bool(content.chapters or content.unasked or content.composite),
        "modalities": any(board is not None and board.groups for board in boards),
        "differences": bool(content.contrasts),
        "slices": any(selection.slice_boards(content, task) for task in names),
        "cost": bool(content.costs),
        "examples": bool(content.examples),
        "making": bool(content.runs or content.commands or content.data),
    }
    return [(name, title) for name, title in SECTIONS.items() if has[name]]


def _by_model(content: ReportContent) -> dict[str, list[Example]]:
    """The examples of each model, in the order of the models, the worst first."""
    order = selection.unique([*(card.name for card in content.models), *(e.model for e in content.examples)])
    ranked = sorted(content.examples, key=lambda example: example.kind != WORST)
    found = {name: [e for e in ranked if e.model == name] for name in order}
    return {name: examples for name, examples in found.items() if examples}


def write(content: ReportContent, path: str | Path) -> Path:
    """Writes the report to ``path`` whole or not at all, making its folder if need be; what stood there before is replaced.

    Raises `ValueError` where no file can be (a folder is there, or a file in the place of one), `OSError` when the disk does.
    """
    target = Path(path)
    if target.is_dir():
        raise ValueError(f"the report cannot be written to {target}: that is a folder. Name a file in it.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise ValueError(f"the report cannot be written to {target}: {target.parent} is no folder.") from error
    document = render(content).encode("utf-8")
    write_atomically(target, lambda file: file.write(document))
    return target


def _clips(example: Example) -> list[Clip]:
    """Every clip of an example, in the order of the page."""
    return [*example.clips, *(answer.clip for answer in example.answers if answer.clip is not None)]


@cache
def environment() -> jinja2.Environment:
    """The templates, with what they may call."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_finalised,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        visible=text.visible,
        whatever=notation.whatever,
        breakable=_breakable,
        line=text.one_line,
        seconds=notation.seconds,
        size=notation.size,
        count=notation.count,
        condition=selection.condition_name,
    )
    environment.globals.update(
        notation=notation, selection=selection, verdict=verdict, reason=_reason, same_n=_same_n, zip=zip
    )
    return environment


def _finalised(value: Any) -> Any:
    """Every string that is not markup already, cleaned; Jinja2 escapes it afterwards."""
    return text.clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _breakable(name: str) -> Markup:
    """A name that may be broken after a colon, a slash or an underscore and before a bracket, where a column is narrow."""
    return Markup(BREAKS.sub(r"\1<wbr>", str(escape(text.visible(name)))))


def _reason(score: Score) -> str:
    """Why a figure is undefined."""
    return score.reason or notation.why_undefined(score.estimate)


def _same_n(board: selection.Board, column: int) -> int | None:
    """The number of units that all figures of a column rest on; ``None`` where they differ."""
    cells = [row.cells[column] for group in board.groups for row in group.rows]
    counts = {cell.estimate.n for cell in cells if cell is not None}
    return counts.pop() if len(counts) == 1 else None
