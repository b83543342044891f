"""One asyncio loop in a worker thread: the Qt thread and the callers' threads never run network code."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class LoopThread:
    """Runs coroutines for callers in other threads. Starts with the first one; `close` ends the thread."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._guard = threading.Lock()

    def wait(self, work: Coroutine[Any, Any, T], tick: Callable[[], None] | None = None) -> T:
        """Run `work` to its end; meanwhile call `tick` on this thread: what it raises cancels the work."""
        future = asyncio.run_coroutine_threadsafe(work, self._running())
        try:
            while tick is not None and not future.done():
                concurrent.futures.wait([future], 0.05)
                tick()
            return future.result()
        finally:
            if not future.done():
                future.cancel()

    def close(self) -> None:
        """Stop the loop and join its thread; safe to call twice."""
        with self._guard:
            loop, thread, self._loop, self._thread = self._loop, self._thread, None, None
        if loop is None or thread is None:
            return
        asyncio.run_coroutine_threadsafe(_cancel_rest(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._guard:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="boards", daemon=True)
                self._thread.start()
            return self._loop


async def _cancel_rest() -> None:
    rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
