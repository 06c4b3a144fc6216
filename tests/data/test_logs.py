"""Logs of other harnesses, in the layouts that these write: what they answered, what they scored, as rows and as runs."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

import assay
from assay.cli import main
from assay.data.readers.answers import read_answers
from assay.data.readers.logs.log import several

HIT = {"a": 1.0, "b": 0.0, "c": 1.0}


def lines(path: Path, *values) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(value) + "\n" for value in values))
    return path


def lmms(folder: Path) -> Path:
    def sample(number: int, said: str, right: float) -> dict:
        return {
            "doc_id": number,
            "target": "['cat', 'kitten']" if number == 0 else "dog",
            "filtered_resps": said,
            "token_counts": [{"output_tokens": 3}],
            "doc_hash": "0f",
            "exact_match": right,
            "vqa_score": {"question_id": number, "score": right},
            "submission": {"question_id": number, "answer": said},
            "input": "What is it?",
        }

    rows = [sample(0, "cat", 1.0), sample(1, "cat", 0.0), sample(2, "dog", 1.0)]
    return lines(folder / "llava" / "20260806_120000_samples_vqa_val.jsonl", *rows)


def inspect_sample(name: str, epoch: int, said: str, grade, **more) -> dict:
    return {
        "id": name,
        "epoch": epoch,
        "input": "What is it?",
        "target": ["dog"],
        "messages": [],
        "output": {"model": "m", "choices": [{"message": {"role": "assistant", "content": said}}], "completion": said},
        "scores": {"match": {"value": grade, "answer": said}, "parts": {"value": {"f1": 0.5, "note": "x"}}},
        **more,
    }


HEADER = {"version": 2, "status": "success", "eval": {"task": "zoo/animals", "model": "vendor/m", "dataset": {}}}
SAMPLES = [
    inspect_sample("a", 1, "dog", "C"),
    inspect_sample("a", 2, "cat", "I"),
    inspect_sample("b", 1, "dog", float("nan")),
    inspect_sample("c", 1, "", "I", error={"message": "it broke", "traceback": ""}),
]


def inspect(folder: Path, compression: int = zipfile.ZIP_DEFLATED) -> Path:
    path = folder / "animals.eval"
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("_journal/start.json", json.dumps(HEADER))
        for one in SAMPLES:
            archive.writestr(f"samples/{one['id']}_epoch_{one['epoch']}.json", json.dumps(one))
        archive.writestr("summaries.json", "[]")
        archive.writestr("header.json", json.dumps(HEADER))
    return path


def evalscope(folder: Path) -> Path:
    def review(index: int, right: bool, status: str = "success") -> dict:
        score = {"value": {"acc": right}, "status": status, "extracted_prediction": "A", "prediction": "A. cat"}
        sample = {"score": score, "sample_id": index, "group_id": index // 2, "sample_metadata": {}}
        return {"index": index, "target": "A", "messages": [], "sample_score": sample}

    path = folder / "reviews" / "qwen" / "mmbench_dev.jsonl"
    return lines(path, review(0, True), review(1, False), review(2, True, "unavailable"))


def helm(folder: Path) -> Path:
    run = folder / "vqa:subject=all,model=openai_gpt"
    run.mkdir(parents=True)

    def stat(name: str, mean: float, split: str = "test") -> dict:
        return {"name": {"name": name, "split": split}, "count": 1, "sum": mean, "mean": mean}

    def entry(instance: str, right: float, **more) -> dict:
        stats = [stat("num_prompt_tokens", 900.0), stat("exact_match", right), stat("inference_runtime", 1.5)]
        return {"instance_id": instance, "train_trial_index": 0, "stats": stats, **more}

    entries = [entry("id1", 1.0), entry("id1", 0.0, perturbation={"name": "typos"}), entry("id2", 1.0)]
    (run / "per_instance_stats.json").write_text(json.dumps(entries))
    return run


def batch(folder: Path) -> Path:
    def reply(name: str, body: dict, status: int = 200) -> dict:
        response = {"status_code": status, "request_id": "r", "body": body}
        return {"id": f"batch_{name}", "custom_id": name, "response": response, "error": None}

    def said(text: str, finish: str = "stop") -> dict:
        return {
            "model": "gpt-x",
            "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": finish}],
        }

    refused = {"error": {"message": "too long", "code": "x"}}
    lost = {"id": "b", "custom_id": "d", "response": None, "error": {"code": "batch_expired", "message": "expired"}}
    rows = [reply("a", said("cat")), reply("b", said("do", "length")), reply("c", refused, 400), lost]
    return lines(folder / "output.jsonl", *rows)


def test_lmms_eval(tmp_path):
    sheet = read_answers(lmms(tmp_path))
    assert (sheet.name, sheet.data.partition(":")[0]) == ("llava", "vqa_val")
    assert sheet.metrics == ("recorded:exact_match", "recorded:vqa_score")
    assert [row.id for row in sheet.rows] == ["0", "1", "2"] and sheet.rows[0].references == ("cat", "kitten")
    run = assay.score(tmp_path / "llava" / "20260806_120000_samples_vqa_val.jsonl").run
    assert [one.value for one in run.estimates] == pytest.approx([2 / 3, 2 / 3]) and run.complete
    own = assay.score(lmms(tmp_path / "again"), metrics=["exact_match"]).run
    assert own.headline.value == pytest.approx(2 / 3)


@pytest.mark.parametrize("kind", ["zip", "zstd", "json"])
def test_inspect(tmp_path, kind):
    if kind == "json":
        path = tmp_path / "animals.json"
        finite = [one for one in SAMPLES if one["id"] != "b"]  # JSON has no NaN
        path.write_text(json.dumps({**HEADER, "samples": finite}, indent=1))
    else:
        path = inspect(tmp_path)
    if kind == "zstd":
        path = zstandard(path)
    sheet = read_answers(path)
    assert (sheet.name, sheet.data.partition(":")[0], sheet.unit) == ("vendor/m", "animals", "unit")
    rows = {row.id: row for row in sheet.rows}
    assert rows["a"].scores == {"match": 1.0, "parts/f1": 0.5} and rows["a#2"].scores["match"] == 0.0
    assert rows["a#2"].groups["unit"] == "a" and rows["c"].prediction is None and rows["c"].error == "it broke"
    if kind != "json":
        assert rows["b"].scores == {"parts/f1": 0.5}
    run = assay.score(path).run
    assert run.headline.metric == "recorded:match" and run.headline.value == 0.5 and run.missing == 1


def zstandard(path: Path) -> Path:
    """The same archive as inspect writes it now: members of method 93, in several frames."""
    library = pytest.importorskip("zstandard")
    out = path.with_name("packed.eval")
    with zipfile.ZipFile(path) as given, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        sizes = {}
        for entry in given.infolist():
            data = given.read(entry)
            half = len(data) // 2
            packed = b"".join(library.ZstdCompressor().compress(part) for part in (data[:half], data[half:]))
            archive.writestr(entry.filename, packed)
            sizes[entry.filename] = len(data)
        for entry in archive.filelist:
            entry.compress_type, entry.file_size = 93, sizes[entry.filename]
    return out


def test_evalscope(tmp_path):
    sheet = read_answers(evalscope(tmp_path))
    assert (sheet.name, sheet.metrics, sheet.unit) == ("qwen", ("recorded:acc",), "unit")
    [headline, *_] = assay.score(tmp_path / "reviews/qwen/mmbench_dev.jsonl").run.estimates
    assert headline.value == 0.5  # the third has an answer, and no usable score


def test_helm(tmp_path):
    run = helm(tmp_path)
    sheet = read_answers(run)
    assert sheet.metrics == ("recorded:exact_match",) and sheet.name == "openai_gpt"
    assert [row.id for row in sheet.rows] == ["id1", "id1:typos", "id2"] and sheet.unit == "unit"
    said = [
        {"instance_id": "id1", "train_trial_index": 0, "predicted_text": " yes", "mapped_output": "yes", "stats": {}},
        {"instance_id": "id2", "train_trial_index": 0, "predicted_text": "no", "stats": {}},
    ]
    (run / "display_predictions.json").write_text(json.dumps(said))
    right = {"output": {"text": "yes"}, "tags": ["correct"]}
    (run / "instances.json").write_text(json.dumps([{"id": "id1", "input": {"text": "?"}, "references": [right]}]))
    first = read_answers(run / "per_instance_stats.json").rows[0]
    assert (first.prediction, first.references) == ("yes", ("yes",))
    by = {one.slice: one.value for one in assay.score(run, by=["perturbation"]).run.estimates}
    assert by["perturbation=typos"] == 0.0 and by["perturbation=none"] == 1.0


def test_openai_batch_beside_its_references(tmp_path):
    wanted = [{"id": name, "reference": "cat"} for name in "abcd"]
    sheet = read_answers(batch(tmp_path), lines(tmp_path / "wanted.jsonl", *wanted))
    assert sheet.name == "gpt-x" and [row.prediction for row in sheet.rows] == ["cat", None, None, None]
    assert [row.error for row in sheet.rows[1:]] == ["truncated", "status 400: too long", "status None: expired"]


VLM = "index\tquestion\tA\tB\tanswer\tcategory\tprediction\thit\n0\tq?\tcat\tdog\tA\tzoo\tA\t1\n1\tr?\tcat\tdog\tB\tpark\tA\t0\n"


def workbook(path: Path, rows: list[list]) -> Path:
    """A workbook as small as one may be: shared texts, numbers, truth values, an inline text."""
    shared: list[str] = []
    sheet = ""
    for number, cells in enumerate(rows, 1):
        sheet += f'<row r="{number}">'
        for place, value in enumerate(cells):
            where = f"{chr(65 + place)}{number}"
            if value is None:
                continue
            if isinstance(value, bool):
                sheet += f'<c r="{where}" t="b"><v>{int(value)}</v></c>'
            elif isinstance(value, int | float):
                sheet += f'<c r="{where}"><v>{value}</v></c>'
            elif value.startswith("="):
                sheet += f'<c r="{where}" t="inlineStr"><is><t>{value[1:]}</t></is></c>'
            else:
                shared.append(value)
                sheet += f'<c r="{where}" t="s"><v>{len(shared) - 1}</v></c>'
        sheet += "</row>"
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/worksheets/sheet1.xml", f"<worksheet {space}><sheetData>{sheet}</sheetData></worksheet>")
        texts = "".join(f"<si><r><t>{text[:1]}</t></r><r><t>{text[1:]}</t></r></si>" for text in shared)
        archive.writestr("xl/sharedStrings.xml", f"<sst {space}>{texts}</sst>")
    return path


@pytest.mark.parametrize("ending", ["tsv", "xlsx"])
def test_vlmevalkit(tmp_path, ending):
    path = tmp_path / f"Qwen_MMBench.{ending}"
    if ending == "tsv":
        path.write_text(VLM)
    else:
        header, *rows = [line.split("\t") for line in VLM.splitlines()]
        typed = [
            [float(cell) if name in ("index", "hit") else cell for name, cell in zip(header, row, strict=True)]
            for row in rows
        ]
        workbook(path, [header, *typed])
    sheet = read_answers(path)
    assert sheet.metrics == ("recorded:hit",) and [row.id for row in sheet.rows] == ["0", "1"]
    assert sheet.rows[0].options == ("cat", "dog") and sheet.rows[1].references == ("B",)
    run = assay.score(path, metrics=["recorded:hit", "multiple_choice"], by=["category"]).run
    whole = {one.metric: one.value for one in run.estimates if one.slice == "all"}
    assert whole["recorded:hit"] == whole["multiple_choice"] == 0.5


def test_a_plain_table(tmp_path):
    (tmp_path / "mine.csv").write_text("id,prediction,reference\n1,cat,cat\n2,,dog\n3,dog,dog\n")
    run = assay.score(tmp_path / "mine.csv").run
    assert run.headline.metric == "exact_match" and run.headline.value == 1.0 and run.missing == 1


def test_an_imported_run_is_compared_gated_and_reported(tmp_path, capsys):
    rng = np.random.default_rng(0)
    right = rng.random(400) < 0.8

    def log(name: str, hits) -> str:
        rows = [{"doc_id": i, "target": "x", "filtered_resps": "y", "acc": float(hit)} for i, hit in enumerate(hits)]
        return str(lines(tmp_path / name / "20260806_120000_samples_task.jsonl", *rows))

    good, bad = log("good", right), log("bad", right & (rng.random(400) < 0.7))
    for path, out in ((good, "a"), (bad, "b")):
        assert main(["import", path, "--out", str(tmp_path / out), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["estimates"][0]["metric"] == "recorded:acc"
    a, b = str(tmp_path / "a"), str(tmp_path / "b")
    assert main(["gate", b, "--baseline", a, "--metric", "recorded:acc", "--margin", "0.02"]) == 1
    assert main(["gate", a, "--baseline", a, "--metric", "recorded:acc"]) == 0
    assert assay.compare(a, b).verdict.startswith("good is better than bad: recorded:acc")
    assert main(["report", a, b, "--out", str(tmp_path / "r.html")]) == 0
    capsys.readouterr()
    assert main(["score", a]) == 0


def test_what_has_no_references_cannot_be_compared_with_them(tmp_path):
    with pytest.raises(ValueError, match="exact_match: .*reference"):
        assay.score(helm(tmp_path), metrics=["exact_match"])


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("x.eval", b"PK\x03\x04 broken", "x.eval"),
        ("x.xlsx", b"no zip", "cannot be read as an Excel workbook"),
        ("x.csv", b"id,answer\n1,a\n", "no column 'prediction'"),
        ("x.jsonl", b'{"doc_id": 1, "filtered_resps": "a", "target": "b"}\n[1]\n', "line 2"),
        ("x.json", b'[{"instance_id": "a", "stats": []}, 3]', "record 1"),
    ],
)
def test_what_is_no_log_is_refused_by_name(tmp_path, name, data, said):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ValueError) as caught:
        read_answers(tmp_path / name)
    assert said in str(caught.value)


def test_a_workbook_that_declares_entities_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.xlsx", "w") as archive:
        bomb = '<?xml version="1.0"?><!DOCTYPE s [<!ENTITY a "aaaa">]><worksheet>&a;</worksheet>'
        archive.writestr("xl/worksheets/sheet1.xml", bomb)
    with pytest.raises(ValueError, match="document type"):
        read_answers(tmp_path / "x.xlsx")


@pytest.mark.parametrize("value", ["[" * 10_000 + "]", "[__import__('os')]", "['a', None]", "[]"])
def test_what_looks_like_a_list_is_read_and_never_run(value):
    assert all(isinstance(one, str) for one in several(value))
