"""HELM's runs: ``per_instance_stats.json``, and beside it ``display_predictions.json`` and ``instances.json`` where they were made.

A record is an instance under a perturbation in a trial; all of one instance are one unit. Statistics that are no quality (counts of tokens,
times, costs) are left out.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from assay.data.readers.jsonl import parsed, text_of
from assay.data.readers.logs.log import Log, Placed, Record, figure, listed, mapping, plain, whole

FILE, PREDICTIONS, INSTANCES = "per_instance_stats.json", "display_predictions.json", "instances.json"
NO_QUALITY = re.compile(r"num_|max_prob|inference_|batch_size|prompt_|finish_reason|training_|predicted_index|logprob")

Key = tuple[str, str, int]


def is_helm(record: Any) -> bool:
    """Whether a first record is one of these."""
    return isinstance(record, dict) and "instance_id" in record and isinstance(record.get("stats"), list)


def read(where: Path, content: Placed) -> Log:
    """The log; a run's folder is named ``TASK:…,model=MODEL,…``."""
    said = {key_of(one): one for one in beside(where, PREDICTIONS) if isinstance(one, dict) and "instance_id" in one}
    instances = {str(one.get("id")): one for one in beside(where, INSTANCES) if isinstance(one, dict)}
    records = [(place, record_of(value, said, instances)) for place, value in content]
    folder = where.absolute().parent.name
    model = re.search(r"model=([^,]+)", folder)
    return Log(model[1] if model else folder, re.sub(r",?model=[^,]+", "", folder), records)


def beside(where: Path, name: str) -> list[Any]:
    """The list in a neighbouring file, empty where there is none."""
    file = where.parent / name
    if not file.exists():
        return []
    found = parsed(text_of(file), file)
    return found if isinstance(found, list) else []


def key_of(value: Record) -> Key:
    """Instance, perturbation, trial."""
    name = mapping(value.get("perturbation")).get("name", "")
    return str(value["instance_id"]), str(name), whole(value.get("train_trial_index"), 0)


def record_of(value: Record, said: dict[Key, Record], instances: dict[str, Record]) -> Record:
    """One instance under one perturbation in one trial."""
    key = instance, perturbation, trial = key_of(value)
    scores: dict[str, float] = {}
    split = ""
    for stat in map(mapping, listed(value["stats"])):
        about = mapping(stat.get("name"))
        name = str(about.get("name", ""))
        split = split or str(about.get("split") or "")
        mean = figure(stat["mean"] if "mean" in stat else stat.get("sum")) if stat.get("count") else None
        if mean is not None and not NO_QUALITY.match(name):
            scores.setdefault(plain(name), mean)
    named = "".join([instance, f":{perturbation}" * bool(perturbation), f"#{trial}" * bool(trial)])
    shown = said.get(key, {})
    came = shown.get("mapped_output") or shown.get("predicted_text")
    record: Record = {
        "id": named,
        "unit": instance,
        "scores": scores,
        "split": split,
        "perturbation": perturbation or "none",
    }
    # Without the file of predictions, what was recorded is the figures themselves.
    record["prediction"] = came if isinstance(came, str) else json.dumps(scores)
    references = map(mapping, listed(instances.get(instance, {}).get("references")))
    right = [
        str(mapping(one.get("output")).get("text", "")) for one in references if "correct" in listed(one.get("tags"))
    ]
    return record | ({"references": right} if right else {})
