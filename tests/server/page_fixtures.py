"""What the tests of the page share: a browser, a server with its page, a video."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lilliput.inference.recognizer import Recognizer
from lilliput.server.app import create_app
from lilliput.server.settings import Limits, ServerSettings
from lilliput.watch.database import EventStore
from tests.programs import find, need
from tests.server.page_browser import OpenPage, Site
from tests.server.page_scene import event_of, watch_scene, write_scene
from tests.server.page_server import serve

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page

FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)
NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    need("chromium")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=30_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find("chromium"), args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def synthetic() -> Recognizer:
    return Recognizer.load("synthetic", engine="torch")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, synthetic: Recognizer) -> Iterator[Site]:
    database = f"sqlite:///{tmp_path_factory.mktemp('database') / 'events.db'}"
    with EventStore(database) as store:
        store.add(
            event_of("activity_running", number, "gate", NOON + timedelta(minutes=number))
            for number in range(30)
        )
        store.add(event_of("Talking", number, "hall") for number in range(3))
    settings = ServerSettings(database=database, limits=Limits(max_upload_bytes=2**20))
    gate = threading.Event()
    gate.set()
    with serve(create_app(settings, synthetic, watch_scene(gate))) as url:
        yield Site(url, gate)


@pytest.fixture(scope="module")
def single_site(synthetic: Recognizer) -> Iterator[Site]:
    """The same scene, of a model whose actions exclude each other."""
    model = synthetic.description
    config = model.config.model_copy(update={"task": "single"})
    single = Recognizer(replace(model, config=config), synthetic.engine)
    gate = threading.Event()
    gate.set()
    with serve(create_app(ServerSettings(), single, watch_scene(gate))) as url:
        yield Site(url, gate)


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_scene(tmp_path_factory.mktemp("scene") / "scene.mp4")


@pytest.fixture
def open_page(browser: "Browser", site: Site) -> Iterator[OpenPage]:
    """Opens the page; afterwards nothing may have failed in it or have gone elsewhere."""
    contexts, complaints = [], []

    def open_(url: str = site.url, **options: object) -> "Page":
        context = browser.new_context(**{"timezone_id": "UTC", "locale": "en-GB", **options})
        context.set_default_timeout(30_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.extend(_complaint(message)))
        page.on(
            "request",
            lambda request: (
                request.url.startswith((url, "blob:", "data:"))
                or complaints.append(f"outside: {request.url}")
            ),
        )
        page.goto(url)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert complaints == []


def _complaint(message: "ConsoleMessage") -> list[str]:
    # Chromium reports every answer of 400 and more there; the tests of errors cause some.
    is_expected = message.type not in ("error", "warning") or message.text.startswith(
        "Failed to load resource"
    )
    return [] if is_expected else [message.text]
