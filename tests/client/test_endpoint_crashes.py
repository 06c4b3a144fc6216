"""Killed at system calls that write, while an endpoint answers: after one more run nothing that was kept has been asked again."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("httpx")

from fault_server import Plan, serving

from assay.evaluation import exports
from assay.evaluation.store import NAME, reading

CALLS = "openat,write,pwrite64,fsync,fdatasync,rename,ftruncate,unlink"
OWN = ("", NAME, f"{NAME}-journal", "run.lock", *exports.ALL, *(f".{name}.partial" for name in exports.ALL))
N = 30


def traced(folder: Path, *options: str) -> list[str]:
    paths = [folder / name if name else folder for name in OWN]
    return ["strace", "-f", *(word for path in paths for word in ("-P", str(path))), *options]


def works() -> bool:
    if shutil.which("strace") is None:
        return False
    return subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, check=False).returncode == 0


def run(url: str, data: Path, out: Path, *prefix: str) -> int:
    # The shim of a version manager would be counted as the program.
    python = os.path.realpath(sys.executable)
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    asked = [
        *prefix,
        python,
        "-m",
        "assay",
        "evaluate",
        f"openai:m@{url}",
        str(data),
        "--task",
        "vqa",
        "--out",
        str(out),
    ]
    return subprocess.run([*asked, "--concurrency", "3"], env=paths, capture_output=True, timeout=120).returncode


def kept(out: Path) -> set[str]:
    if not (out / NAME).exists():
        return set()
    try:
        with reading(out / NAME) as store:
            return {f"{row.key.sample}?" for row in store.rows()}
    except ValueError:
        return set()


@pytest.mark.slow
@pytest.mark.skipif(not works(), reason="needs strace, and the right to trace")
def test_killed_while_an_endpoint_answers(tmp_path):
    data = tmp_path / "q.jsonl"
    rows = [{"id": str(i), "question": f"{i}?", "answer": f"answer to {i}?"} for i in range(N)]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with serving(usual=lambda question: Plan(delay_s=0.02)) as server:
        log, whole = tmp_path / "log", tmp_path / "whole"
        assert run(server.url, data, whole, *traced(whole, "-o", str(log), "-e", f"trace={CALLS}")) == 0
        found: Counter[str] = Counter()
        moments = []
        for line in log.read_text(errors="replace").splitlines():
            if call := re.match(r"\d+ +(\w+)\(", line):
                found[call[1]] += 1
                moments.append((call[1], found[call[1]]))
        assert len(moments) > 100
        step = len(moments) // 3
        for number, (call, place) in enumerate(moments[int(time.time() // 86_400) % step :: step]):
            out = tmp_path / f"run{number}"
            server.asked.clear()
            struck = traced(
                out, "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={place}"
            )
            run(server.url, data, out, *struck)
            before, there = Counter(server.asked), kept(out)
            assert run(server.url, data, out) == 0, (call, place)
            again = {question for question in server.asked if server.asked[question] > before[question]}
            assert not again & there, f"killed at {call} number {place}: answers that were kept were asked for again"
            assert again | there == {f"{i}?" for i in range(N)}
            for name in ("estimates.json", "predictions.parquet", "measurements.parquet"):
                assert (out / name).read_bytes() == (whole / name).read_bytes()
            assert not list(out.glob(".*")) and not list(out.glob("*journal*"))
