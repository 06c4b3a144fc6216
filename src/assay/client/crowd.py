"""Many requests at once behind a plain iterator: an event loop in a thread of its own, fed as it has room, read as answers come.

What runs in the loop never touches what the caller holds but through two queues; however the caller leaves, every request under way is
cancelled, the connections are closed and the thread has ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Awaitable, Callable, Generator, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")

BEAT_S = 0.25
GRACE_S = 5.0
"""How long connections may take to be closed."""

AHEAD = 2
"""So many jobs for each worker are prepared before they can be started."""

Work = Callable[[int, Job], Awaitable[Result]]


@dataclass(frozen=True, slots=True)
class Broken:
    """A worker ended by an error that is none of its jobs'."""

    error: BaseException


class Crowd(Generic[Job, Result]):
    """``workers`` tasks in a loop of their own; ``opened`` gives, inside that loop, the function that does a job."""

    def __init__(
        self, workers: int, opened: Callable[[], contextlib.AbstractAsyncContextManager[Work[Job, Result]]]
    ) -> None:
        self.workers, self.opened = workers, opened
        self.results: queue.SimpleQueue[tuple[int, Result] | Broken] = queue.SimpleQueue()
        self.loop = asyncio.new_event_loop()
        self.inbox: asyncio.Queue[tuple[int, Job]] = asyncio.Queue()
        self.stop = asyncio.Event()
        self.thread = threading.Thread(target=self.run, name="assay-client", daemon=True)

    def run(self) -> None:
        """The thread's whole life."""
        try:
            self.loop.run_until_complete(self.live())
        except BaseException as error:
            self.results.put(Broken(error))
        finally:
            self.loop.close()

    async def live(self) -> None:
        """Works until it is told to stop."""
        async with self.opened() as work:
            tasks = [asyncio.ensure_future(self.serve(worker, work)) for worker in range(self.workers)]
            await self.stop.wait()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def serve(self, worker: int, work: Work[Job, Result]) -> None:
        """One worker: a job after another."""
        while True:
            place, job = await self.inbox.get()
            try:
                self.results.put((place, await work(worker, job)))
            except asyncio.CancelledError:
                raise
            except BaseException as error:
                self.results.put(Broken(error))

    def give(self, place: int, job: Job) -> None:
        """Hands a job over. A loop that has ended takes none; why it ended, `take` raises."""
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self.inbox.put_nowait, (place, job))

    def take(self, wait_s: float) -> tuple[int, Result] | None:
        """The next result, ``None`` if none comes in time. An error that is no job's is raised here."""
        try:
            one = self.results.get(timeout=wait_s) if wait_s > 0 else self.results.get_nowait()
        except queue.Empty:
            return None
        if isinstance(one, Broken):
            raise one.error
        return one


def together(crowd: Crowd[Job, Result], jobs: Iterable[Job]) -> Generator[tuple[int, Result] | None, None, None]:
    """The result of each job with its number, in the order in which they end; ``None`` while there is nothing new.

    Jobs are taken as there is room for them. On Ctrl-C, what has come is still given.
    """
    crowd.thread.start()
    try:
        waiting, room = 0, crowd.workers * AHEAD
        for place, job in enumerate(jobs):
            crowd.give(place, job)
            waiting += 1
            while (one := crowd.take(0.0 if waiting < room else BEAT_S)) is not None or waiting >= room:
                waiting -= one is not None
                yield one
        while waiting:
            one = crowd.take(BEAT_S)
            waiting -= one is not None
            yield one
    except (KeyboardInterrupt, SystemExit):
        while (one := crowd.take(0.0)) is not None:
            yield one
        raise
    finally:
        with contextlib.suppress(RuntimeError):  # the loop has ended by an error already
            crowd.loop.call_soon_threadsafe(crowd.stop.set)
        crowd.thread.join(GRACE_S)
