"""A model behind the Transformers library's own server gives through ``openai:`` the answers that it gives through ``hf:``."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import transformers as hf

from assay import verbs
from assay.client.settings import Settings

NEEDED = ("openai", "accelerate", "fastapi", "uvicorn", "httpx")
MISSING = [name for name in NEEDED if importlib.util.find_spec(name) is None]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(MISSING), reason=f"the server needs {', '.join(MISSING)}"),
]
PATIENCE_S = 120


@pytest.fixture(scope="module")
def ending_folder(llava_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny LLaVA, made to end its answers: an answer that is cut is none."""
    folder = tmp_path_factory.mktemp("served") / "llava-ending"
    net = hf.LlavaForConditionalGeneration.from_pretrained(llava_folder)
    with torch.no_grad():
        net.lm_head.weight[2] *= 3
    for part in (net, hf.AutoProcessor.from_pretrained(llava_folder)):
        part.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def url(ending_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real server in a process of its own, on a port that was free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    home = tmp_path_factory.mktemp("home")
    (home / "hub").mkdir()
    command = [str(Path(sys.executable).parent / "transformers"), "serve", str(ending_folder)]
    log = home / "log"
    with log.open("wb") as told:
        server = subprocess.Popen(
            [*command, "--device", "cpu", "--host", "127.0.0.1", "--port", str(port)],
            env={**os.environ, "HF_HOME": str(home), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
            stdout=told,
            stderr=told,
        )
    try:
        wait(f"http://127.0.0.1:{port}/health", server, log)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait(20)


def wait(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        assert server.poll() is None, log.read_text()
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.3)
        else:
            return
    pytest.fail(f"the server did not start: {log.read_text()}")


def test_the_same_answers_through_a_server(
    url: str, ending_folder: Path, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    # No labels: an endpoint is told a closed set of answers, and would be asked something else.
    asked = tmp_path / "asked.jsonl"
    rows = [
        {"image": str(pictures / f"{i}.png"), "question": f"what is number {i}?", "answer": f"thing {i}"}
        for i in range(5)
    ]
    asked.write_text("".join(json.dumps(row) + "\n" for row in rows))
    local = verbs.evaluate(f"hf:{ending_folder}?max_tokens=200", asked, task="vqa")
    endpoint = verbs.load_model(f"openai:{ending_folder}@{url}", endpoint=Settings(max_tokens=200))
    served = verbs.evaluate(endpoint, asked, task="vqa")
    assert local.complete and served.complete
    assert list(local.predictions["answer"]) == list(served.predictions["answer"])
    assert len(set(local.predictions["answer"])) > 3
