"""Logs that are not what their first keys promise: a sheet of rows, or an error that names the file; never another error."""

import json
import zipfile

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from assay.data.readers.answers import read_answers

PLAIN = st.none() | st.booleans() | st.integers(-3, 10**20) | st.floats() | st.text(max_size=6)
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def record(*names: str, always: dict) -> st.SearchStrategy:
    """An object with some of the names, whatever they hold, and with what tells whose log it is."""
    return st.fixed_dictionaries(always, optional=dict.fromkeys(names, VALUES))


SCORED = record("value", "status", "prediction", "extracted_prediction", always={})
LOGS = {
    "lmms": record("target", "resps", "acc", "filter", always={"doc_id": VALUES, "filtered_resps": VALUES}),
    "evalscope": record(
        "target", always={"index": VALUES, "sample_score": record("group_id", always={"score": SCORED | VALUES})}
    ),
    "helm": record(
        "perturbation",
        "train_trial_index",
        always={
            "instance_id": VALUES,
            "stats": st.lists(VALUES | record("name", "count", "sum", "mean", always={}), max_size=3),
        },
    ),
    "batch": record(
        "error",
        always={"custom_id": VALUES, "response": VALUES | record("status_code", always={"body": VALUES})},
    ),
}
SAMPLE = record(
    "error",
    "choices",
    always={"id": VALUES, "epoch": VALUES, "target": VALUES, "output": VALUES, "scores": VALUES},
)


def read(path) -> None:
    try:
        sheet = read_answers(path)
    except ValueError as error:
        assert path.name in str(error)
    else:
        assert all(row.id and isinstance(row.scores, dict) for row in sheet.rows)


@pytest.mark.parametrize("harness", LOGS)
def test_any_log(tmp_path, harness):
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(LOGS[harness], min_size=1, max_size=3))
    def sweep(rows):
        path = tmp_path / "log.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        read(path)

    sweep()


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(SAMPLE | VALUES, min_size=1, max_size=3), VALUES)
@example([{"id": "a", "epoch": 1, "target": "x", "output": {"choices": [None]}, "scores": {"s": {"value": [1]}}}], {})
def test_any_archive(tmp_path_factory, samples, header):
    path = tmp_path_factory.mktemp("logs") / "log.eval"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("header.json", json.dumps({"eval": header}))
        for number, sample in enumerate(samples):
            archive.writestr(f"samples/{number}_epoch_1.json", json.dumps(sample))
    read(path)
