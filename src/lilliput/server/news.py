"""What the clients that listen to a job are told, across threads."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from typing import Any

_KEEP_ALIVE_SECONDS = 15.0


class News:
    """Named messages from one thread to any number of listeners on event loops.

    A message replaces an earlier one of the same key that a listener has not heard yet, so a slow
    listener misses steps in between but never the latest state, and memory does not grow with the
    number of updates. Whoever comes late hears the latest message of every key.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._latest: dict[str, tuple[int, str, str]] = {}  # key to (number, name, JSON)
        self._closed = False
        self._listeners: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    def tell_latest(self, name: str, data: dict[str, Any], key: str | None = None) -> None:
        """Tells all listeners; ``key`` is what the message is about, its name if None."""
        text = json.dumps(data, separators=(",", ":"))
        with self._lock:
            if not self._closed:
                self._put(name, text, key or name)

    def close(self, name: str, data: dict[str, Any]) -> None:
        """Tells a last message; then every listener's stream ends."""
        text = json.dumps(data, separators=(",", ":"))
        with self._lock:
            self._put(name, text, name)
            self._closed = True

    @property
    def num_listeners(self) -> int:
        """How many streams are open."""
        return len(self._listeners)

    async def stream(self) -> AsyncIterator[str]:
        """Server-sent events until the last; a comment now and then keeps proxies awake."""
        listener = (asyncio.get_running_loop(), asyncio.Event())
        with self._lock:
            self._listeners.add(listener)
        heard = 0
        try:
            while True:
                listener[1].clear()
                with self._lock:
                    fresh = sorted(item for item in self._latest.values() if item[0] > heard)
                    closed = self._closed
                for number, name, text in fresh:
                    heard = number
                    yield f"event: {name}\ndata: {text}\n\n"
                if closed:
                    return
                try:
                    await asyncio.wait_for(listener[1].wait(), _KEEP_ALIVE_SECONDS)
                except TimeoutError:
                    yield ": still here\n\n"
        finally:
            with self._lock:
                self._listeners.discard(listener)

    async def wait_for_end(self) -> None:
        """Returns after the last message."""
        async for _ in self.stream():
            pass

    def _put(self, name: str, text: str, key: str) -> None:
        self._count += 1
        self._latest[key] = (self._count, name, text)
        for loop, event in self._listeners:
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)
