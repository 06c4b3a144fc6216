"""How an endpoint is asked: what decides its answers, and how patiently, how fast and where they are kept."""

from __future__ import annotations

import math
from dataclasses import dataclass

KEY_ENV = "OPENAI_API_KEY"
SHARE = 3
"""One attempt may take a third of the deadline, so that at least so many fit into it."""


@dataclass(frozen=True)
class Settings:
    """``max_tokens``, ``temperature`` (``None``: the server's own) and ``prompt`` (``{}`` stands for a sample's text) decide the answers.

    ``concurrency`` requests are under way at once; ``deadline`` are the seconds that one sample may take in all, every repetition and
    wait included, and it is asked at most ``attempts`` times. ``key_env`` names the variable that holds the key (``None``: `KEY_ENV`,
    if it is set). ``record`` is a cassette to write, ``replay`` one to answer from without any server, ``cache`` a folder of answers.
    Prices are for a million tokens.
    """

    concurrency: int = 16
    key_env: str | None = None
    record: str | None = None
    replay: str | None = None
    cache: str | None = None
    deadline: float = 600.0
    attempts: int = 5
    price_in: float | None = None
    price_out: float | None = None
    max_tokens: int | None = None
    temperature: float | None = 0.0
    prompt: str = "{}"

    def __post_init__(self) -> None:
        if not 1 <= self.concurrency <= 4096:
            raise ValueError(f"concurrency must be from 1 to 4096, got {self.concurrency}.")
        if not (math.isfinite(self.deadline) and self.deadline > 0):
            raise ValueError(f"deadline must be above 0 seconds, got {self.deadline}.")
        if self.attempts < 1:
            raise ValueError(f"attempts must be at least 1, got {self.attempts}.")
        if self.max_tokens is not None and self.max_tokens < 1:
            raise ValueError(f"max_tokens must be at least 1, got {self.max_tokens}.")
        if self.temperature is not None and not 0 <= self.temperature <= 2:
            raise ValueError(f"temperature must be from 0 to 2, got {self.temperature}.")
        for name, price in (("price_in", self.price_in), ("price_out", self.price_out)):
            if price is not None and not (math.isfinite(price) and price >= 0):
                raise ValueError(f"{name} must be at least 0, got {price}.")
        if self.prompt.count("{}") != 1:
            raise ValueError(f"a prompt holds {{}} once, where the sample's text goes; got {self.prompt!r}.")
        if self.record is not None and self.replay is not None:
            raise ValueError("record a cassette or replay one, not both at once.")
        if self.cache is not None and self.temperature != 0:
            raise ValueError("a cache would give every repeat the same answer: it needs a temperature of 0.")

    @property
    def attempt_s(self) -> float:
        """Seconds that one attempt may take."""
        return self.deadline / SHARE
