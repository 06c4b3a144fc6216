"""What a reply means for its sample: an answer, another attempt and when, a failure, or the end of the run. The only owner of retries.

Asked again are 408, 409, 425, 429, 5xx but 501, what was lost on the way, and replies that cannot be read; never other 4xx, a refusal, a
filtered or truncated answer. ``Retry-After`` (seconds or a date, ``retry-after-ms``; the longer of them) is a lower bound of the wait, for
every sample of the endpoint; without it waits double from half a second. Waits are spread by chance, so that all do not come back at once.
"""

from __future__ import annotations

import asyncio
import math
import sys
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import numpy as np

from assay import wire
from assay.types import Failure

AGAIN = frozenset({408, 409, 425, 429, *range(500, 600)}) - {501}
REFUSED_KEY = frozenset({401, 403})
OUT_OF_CREDIT = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active")
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 30.0
SPREAD_S = 1.0
WORTH_TELLING_S = 5.0


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an attempt gave no answer. ``again``: whether another may help; ``wait_s``: what the server asks to wait; ``final``: whether
    no sample will be answered any more; ``common``: whether it may befall every sample (a server that is down), or only this one."""

    failure: Failure
    again: bool = False
    wait_s: float | None = None
    final: bool = False
    common: bool = True


def fault_of(status: int, headers: Mapping[str, str], body: bytes, *, now: float) -> Fault:
    """What a reply means that is no success. ``now`` is the time of day in seconds since 1970."""
    said, code = wire.error_of(body)
    told = f"the server says {status}: {said}"
    if status in REFUSED_KEY:
        return Fault(Failure("unauthorised", told), final=True)
    if status == 429 and code in OUT_OF_CREDIT:
        return Fault(Failure("out_of_credit", told))
    if status in AGAIN:
        kind = "rate_limited" if status == 429 else "server_error"
        return Fault(Failure(kind, told), again=True, wait_s=retry_after(headers, now))
    if 300 <= status < 400:
        return Fault(
            Failure("redirected", f"the server says {status}, redirects are not followed: name the URL itself")
        )
    return Fault(Failure("rejected", told))


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that the server asks to wait, at least 0; ``None`` where it does not say, or nothing that is a time.

    >>> retry_after({"retry-after": "2"}, 0.0), retry_after({"retry-after": "-1"}, 0.0), retry_after({"retry-after": "nan"}, 0.0)
    (2.0, 0.0, None)
    >>> retry_after({"retry-after": "Thu, 01 Jan 1970 00:01:00 GMT", "retry-after-ms": "500"}, 50.0)
    10.0
    """
    given = headers.get("retry-after", "").strip()
    found = [seconds(given), seconds(headers.get("retry-after-ms", ""), 1e-3)]
    if given and found[0] is None:
        try:
            found.append(parsedate_to_datetime(given).timestamp() - now)
        except (ValueError, TypeError, OverflowError, IndexError):
            found.append(None)  # neither a number nor a date says nothing
    known = [one for one in found if one is not None]
    return max(0.0, *known) if known else None


def seconds(text: str, scale: float = 1.0) -> float | None:
    """A finite number of seconds, ``None`` for anything else."""
    try:
        value = float(text) * scale
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def backoff_s(attempt: int, asked_s: float | None, rng: np.random.Generator) -> float:
    """How long to wait after the ``attempt``-th attempt, from 0: never less than the server asks for, and no two alike.

    >>> from assay.stats.streams import stream
    >>> [backoff_s(k, None, stream(0)) <= 0.5 * 2**k for k in range(4)], backoff_s(0, 10.0, stream(0)) >= 10.0
    ([True, True, True, True], True)
    """
    if asked_s is not None:
        return asked_s + float(rng.uniform(0.0, min(SPREAD_S, 0.1 + asked_s / 4)))
    return min(FIRST_WAIT_S * 2.0**attempt, LONGEST_WAIT_S) * float(rng.uniform(0.5, 1.0))


class Gate:
    """Lets at most so many attempts through at once, and none while the server asks to wait.

    After each time that the server was too busy only half as many go at once; every success lets a little more through again.
    """

    def __init__(self, limit: int, name: str, rng: np.random.Generator) -> None:
        self.most, self.limit, self.name, self.rng = limit, float(limit), name, rng
        self.under_way = 0
        self.not_before, self.reason = 0.0, ""
        self.waiting: deque[asyncio.Future[None]] = deque()

    async def enter(self, until: float) -> bool:
        """Waits for a place, at most to the moment ``until`` of the loop's clock; whether there is one."""
        loop = asyncio.get_running_loop()
        while True:
            pause = self.not_before - loop.time()
            if pause > 0:
                if self.not_before > until:
                    return False
                await asyncio.sleep(pause + float(self.rng.uniform(0.0, min(SPREAD_S, pause))))
            elif self.under_way < max(1, int(self.limit)):
                self.under_way += 1
                return True
            else:
                place = loop.create_future()
                self.waiting.append(place)
                try:
                    await asyncio.wait_for(place, max(until - loop.time(), 0.0))
                except TimeoutError:
                    return False

    def leave(self) -> None:
        """Gives the place back, and wakes as many as there are places for: more than one where the limit has grown."""
        self.under_way -= 1
        free = max(1, int(self.limit)) - self.under_way
        while self.waiting and free > 0:
            place = self.waiting.popleft()
            if not place.done():
                place.set_result(None)
                free -= 1

    def succeeded(self) -> None:
        """An attempt was answered."""
        self.limit = min(self.limit + 1 / max(self.limit, 1.0), self.most)

    def busy(self, wait_s: float, reason: str) -> None:
        """The server is too busy, or away: nobody asks again before so many seconds have passed."""
        now = asyncio.get_running_loop().time()
        self.reason = reason
        if self.not_before <= now:
            self.limit = max(1.0, self.limit / 2)
            if wait_s >= WORTH_TELLING_S:
                print(f"{self.name}: waiting {wait_s:.0f} s, {reason}", file=sys.stderr, flush=True)
        self.not_before = max(self.not_before, now + wait_s)


def time_of_day() -> float:
    """Seconds since 1970, which dates in headers are compared with."""
    return time.time()
