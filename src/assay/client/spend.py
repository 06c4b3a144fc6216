"""What asking costs: every attempt counts, also one whose reply could not be used."""

from __future__ import annotations

from collections import Counter

from assay.wire import Usage


class Spend:
    """Counts of requests, repetitions, answers from a cache or cassette, tokens, and money where prices are known (a million tokens)."""

    def __init__(self, price_in: float | None, price_out: float | None) -> None:
        self.prices = (price_in, price_out)
        self.counts: Counter[str] = Counter()

    def attempt(self, number: int) -> None:
        """One request is sent, the ``number``-th for its sample, from 0."""
        self.counts["requests"] += 1
        self.counts["repeated"] += number > 0

    def reply(self, usage: Usage) -> None:
        """A reply came that was charged for."""
        self.counts["input_tokens"] += usage.input or 0
        self.counts["output_tokens"] += usage.output or 0
        self.counts["unmetered"] += usage.input is None or usage.output is None

    def known(self) -> None:
        """An answer was there already."""
        self.counts["from_memory"] += 1

    def as_json(self) -> dict[str, float]:
        """All of it by name; ``cost`` where a price was given.

        >>> spend = Spend(1.0, 2.0)
        >>> spend.attempt(0); spend.reply(Usage(1_000_000, 500_000))
        >>> spend.as_json()["cost"]
        2.0
        """
        names = ("requests", "repeated", "from_memory", "input_tokens", "output_tokens", "unmetered")
        out: dict[str, float] = {name: self.counts[name] for name in names}
        if self.prices != (None, None):
            tokens = (self.counts["input_tokens"], self.counts["output_tokens"])
            out["cost"] = sum((price or 0.0) * count for price, count in zip(self.prices, tokens, strict=True)) / 1e6
        return out
