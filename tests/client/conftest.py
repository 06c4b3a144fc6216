"""Keys are none of the machine's own; waits between attempts are short, since what is tested is their order and number."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def fast_and_keyless(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setattr("assay.client.retry.FIRST_WAIT_S", 0.01)
