"""``assay import FILE [REFERENCES] [--out DIR]``: another harness's log as a run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from assay.cli import DONE, INCOMPLETE
from assay.cli.options import Command, arg
from assay.cli.output import print_json


@dataclass(frozen=True)
class Import:
    """Takes over what another harness has answered and scored, as a run that compare, gate and report take.

    FILE is a log of lmms-eval or lm-eval (samples, JSONL), VLMEvalKit (xlsx, tsv), inspect (.eval, .json), evalscope (reviews), HELM
    (a run's folder, or its per_instance_stats.json), OpenAI's batch output, or a table (CSV, TSV, Excel, Parquet) with id, prediction,
    reference. Its own scores come along as recorded:NAME; other metrics are computed from the answers.
    """

    files: tuple[str, ...] = arg("FILE, then the file of the references where these stand elsewhere", metavar="FILE")
    metrics: str | None = arg(
        "names with commas between them (default: what was recorded, else the usual ones)", default=None, metavar="A,B"
    )
    by: str | None = arg("break figures down by these fields", default=None, metavar="FIELD,FIELD")
    unit: str | None = arg("the field whose rows are resampled together", default=None, metavar="FIELD")
    out: str | None = arg("the run's folder (default: runs/import/NAME)", default=None, metavar="DIR")
    seed: int = arg("of the resampling", default=0)
    json: bool = arg("print one JSON document", default=False)


def take_over(options: Import) -> int:
    """Prints the figures. Exit code 3 when rows have no answer."""
    from assay import verbs
    from assay.cli.score import as_json, show, split

    first = Path(options.files[0])
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", first.name if first.is_dir() else first.stem).strip("-.") or "log"
    scored = verbs.score(
        *options.files,
        metrics=split(options.metrics),
        by=split(options.by),
        unit=options.unit,
        out=options.out or Path("runs") / "import" / name,
        seed=options.seed,
    )
    if options.json:
        print_json(as_json(scored))
    else:
        show(scored)
    return DONE if scored.run.complete else INCOMPLETE


IMPORT = Command("import", Import, take_over, "assay import logs/vqa.eval --out runs/theirs")
