"""The command line against a server that misbehaves: what is answered is scored, the rest is counted, nothing is asked twice."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("httpx")

from fault_server import KEY, Plan, error, ok, serving

from assay.cli import main
from assay.evaluation.store import NAME, reading

ENVIRONMENT = {**os.environ, "OPENAI_API_KEY": KEY}


def questions(folder: Path, n: int) -> Path:
    rows = [{"id": f"q{i}", "question": f"{i}?", "answer": f"answer to {i}?"} for i in range(n)]
    path = folder / "questions.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def command(url: str, data: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "assay", "evaluate", f"openai:m@{url}", str(data), "--task", "vqa", *more]


def assay(url: str, data: Path, *more: str) -> subprocess.CompletedProcess:
    return subprocess.run(command(url, data, *more), env=ENVIRONMENT, capture_output=True, timeout=120)


@pytest.fixture
def here(monkeypatch, capsys):
    """The same within this process, which is faster: exit code, what was printed, what was said."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)

    def run(url: str, data: Path, *more: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(command(url, data, *more)[3:])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def every_byte(folder: Path) -> bytes:
    return b"".join(str(path).encode() + path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


FAULTS = {
    "0?": [error(429, "slow down", retry_after="1"), Plan()],
    "1?": [error(500, f"trouble with {KEY}"), Plan()],
    "2?": [Plan(body=b'{"choices": [{"mess'), Plan()],
    "3?": [error(400, f"your key {KEY} may not ask this")],
    "4?": [ok(f"wrong, {KEY}")],
    "5?": [ok(None, message={"refusal": "I would rather not"})],
    "6?": [Plan(cut="reset"), Plan()],
    "7?": [ok("answer to", "length")],
}


def test_a_faulty_server_costs_only_what_it_did_not_answer(tmp_path):
    data, out = questions(tmp_path, 20), tmp_path / "run"
    more = ("--out", str(out), "--json", "--record", str(tmp_path / "calls.jsonl"), "--cache", str(tmp_path / "cache"))
    more += ("--price-in", "100000", "--concurrency", "4")
    with serving(FAULTS) as server:
        first = assay(server.url, data, *more)
        asked = sum(server.asked.values())
        second = assay(server.url, data, *more)
        assert sum(server.asked.values()) == asked
    assert (first.returncode, second.returncode) == (3, 3), first.stderr.decode()
    found = json.loads(first.stdout)
    assert found["status"] == "incomplete 17/20" and found["n_missing"] == 3
    assert {one["sample"]: one["error_kind"] for one in found["errors"]} == {
        "q3": "rejected",
        "q5": "refused",
        "q7": "truncated",
    }
    [headline, *_] = found["estimates"]
    # Of the seventeen that were answered one is wrong; the missing are neither right nor wrong.
    assert (headline["metric"], headline["n"], headline["n_missing"]) == ("vqa_accuracy", 17, 3)
    exact = next(one for one in found["estimates"] if one["metric"] == "exact_match" and one["slice"] == "all")
    assert exact["value"] == pytest.approx(16 / 17)
    spent = found["timings"]["spent"]
    assert spent["requests"] == asked == 24 and spent["repeated"] == 4
    assert spent["cost"] == pytest.approx(spent["input_tokens"] * 0.1)
    assert server.authorizations == {f"Bearer {KEY}"}
    for shown in (first.stdout, first.stderr, second.stdout, second.stderr, every_byte(tmp_path)):
        assert KEY.encode() not in shown and json.dumps(KEY)[1:-1].encode() not in shown


def test_a_cassette_stands_in_for_the_server(tmp_path, here):
    data, cassette = questions(tmp_path, 10), str(tmp_path / "calls.jsonl")
    with serving(FAULTS) as server:
        recorded, *_ = here(server.url, data, "--out", str(tmp_path / "a"), "--json", "--record", cassette)
        url = server.url
    replayed, *_ = here(url, data, "--out", str(tmp_path / "b"), "--json", "--replay", cassette)
    assert recorded == replayed == 3
    for name in ("estimates.json", "predictions.parquet"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    more = questions(tmp_path, 11)
    _, printed, _ = here(url, more, "--out", str(tmp_path / "c"), "--json", "--replay", cassette)
    [missing] = [one for one in json.loads(printed)["errors"] if one["error_kind"] == "not_recorded"]
    assert missing["sample"] == "q10" and "'q10'" in missing["error"]


def test_a_refused_key_is_one_message_and_not_a_thousand_failures(tmp_path, here):
    data = questions(tmp_path, 1000)
    with serving(usual=lambda question: error(401, f"wrong key {KEY}")) as server:
        code, _, said = here(server.url, data, "--out", str(tmp_path / "run"))
        assert sum(server.asked.values()) <= 40
        server.usual = lambda question: Plan()
        again, printed, _ = here(server.url, data, "--out", str(tmp_path / "run"), "--json")
    assert code == 2 and said.count("401") == 1 and "OPENAI_API_KEY" in said and "Traceback" not in said
    assert "1000 of 1000 answers are still to be given" in said and KEY not in said
    assert again == 0 and json.loads(printed)["complete"]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_what_was_acknowledged_is_never_asked_again(tmp_path, how, here):
    data, out = questions(tmp_path, 120), tmp_path / "run"
    with serving(usual=lambda question: Plan(delay_s=0.02)) as server:
        running = subprocess.Popen(
            command(server.url, data, "--out", str(out), "--concurrency", "2"),
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        limit = time.monotonic() + 60
        while sum(server.asked.values()) < 40 and time.monotonic() < limit:
            time.sleep(0.005)
        running.send_signal(how)
        _, said = running.communicate(timeout=30)
        time.sleep(0.1)
        with reading(out / NAME) as store:
            kept = {row.key.sample.replace("q", "") + "?" for row in store.rows()}
        before = dict(server.asked)
        resumed, *_ = here(server.url, data, "--out", str(out), "--json")
        whole, *_ = here(server.url, data, "--out", str(tmp_path / "whole"), "--json")
    assert 0 < len(kept) < 120
    if how == signal.SIGINT:
        assert running.returncode == 130 and b"interrupted" in said and b"Traceback" not in said
        # Only what was under way is lost: two requests at once, and what they were given meanwhile.
        assert len(before) - len(kept) <= 2 * 2
    assert resumed == whole == 0
    again = {question for question, count in before.items() if count and question in kept}
    assert all(server.asked[question] == 1 + 1 for question in again)  # once for each of the two folders
    for name in ("estimates.json", "predictions.parquet"):
        assert (out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert KEY.encode() not in every_byte(tmp_path)


def test_predict_asks_an_endpoint_and_says_why_there_is_no_answer(monkeypatch, capsys):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with serving({"no?": [error(400, "not today")]}) as server:
        assert main(["predict", f"openai:m@{server.url}", "--ask", "why?"]) == 0
        assert "answer to why?" in capsys.readouterr().out
        assert main(["predict", f"openai:m@{server.url}", "--ask", "no?"]) == 2
        assert "not today" in capsys.readouterr().err


def test_options_of_endpoints_are_refused_for_other_models(capsys):
    assert main(["evaluate", "baseline:chance", "digits", "--concurrency", "3"]) == 2
    assert "--concurrency: for models named openai:MODEL@URL" in capsys.readouterr().err
    assert main(["evaluate", "openai:m@http://127.0.0.1:9/v1", "digits", "--temperature", "warm"]) == 2
    assert "--temperature is a number" in capsys.readouterr().err
