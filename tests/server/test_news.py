import asyncio
import threading

import pytest

from lilliput.server import news
from lilliput.server.news import News


async def hear(told: News) -> list[str]:
    return [message async for message in told.stream()]


def test_what_was_not_heard_is_replaced():
    told = News()
    for number in range(1000):
        told.tell_latest("event", {"n": number}, key=str(number % 2))
    told.close("done", {})
    told.tell_latest("event", {"n": "too late"}, key="0")
    assert asyncio.run(hear(told)) == [
        'event: event\ndata: {"n":998}\n\n',
        'event: event\ndata: {"n":999}\n\n',
        "event: done\ndata: {}\n\n",
    ]


def test_every_listener_hears_another_thread():
    told = News()

    async def listen_while_told() -> list[list[str]]:
        listeners = [asyncio.create_task(hear(told)) for _ in range(3)]
        while told.num_listeners < 3:
            await asyncio.sleep(0)
        thread = threading.Thread(target=lambda: (told.tell_latest("a", {}), told.close("b", {})))
        thread.start()
        heard = await asyncio.wait_for(asyncio.gather(*listeners), 10)
        thread.join()
        return heard

    for heard in asyncio.run(listen_while_told()):
        assert heard == ["event: a\ndata: {}\n\n", "event: b\ndata: {}\n\n"]
    assert told.num_listeners == 0


def test_data_stays_on_one_line():
    told = News()
    told.close("done", {"text": "one\ntwo\r\n\r\nevent: forged"})
    (message,) = asyncio.run(hear(told))
    assert message.count("\n") == 3
    assert "\r" not in message


def test_silence_is_broken(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(news, "_KEEP_ALIVE_SECONDS", 0.01)

    async def first() -> str:
        stream = News().stream()
        try:
            return await anext(stream)
        finally:
            await stream.aclose()

    assert asyncio.run(first()).startswith(":")


def test_a_loop_that_has_ended_is_no_hindrance():
    told = News()
    stream = told.stream()

    async def begin() -> None:
        told.tell_latest("a", {})
        await anext(stream)

    loop = asyncio.new_event_loop()
    loop.run_until_complete(begin())
    assert told.num_listeners == 1
    told.close("b", {})  # the listener never hears it, the worker goes on
    loop.run_until_complete(stream.aclose())
    loop.close()
    assert told.num_listeners == 0
