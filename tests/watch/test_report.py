"""The page, read with the parser of the standard library and with a browser."""

import base64
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest

from lilliput.watch.events import Event
from lilliput.watch.writers import WRITERS
from lilliput.watch.writers.lanes import CELLS, Cells, blocks_of, ticks
from lilliput.watch.writers.report import MAX_LISTED, MAX_PICTURES
from tests.programs import find, need
from tests.watch.staged import CLASSES, event, output_in, steps_of, write

VOID = {"meta", "link", "img", "line", "rect-empty"}


class Page(HTMLParser):
    """Checks that every element is closed, and collects what a test asks for."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and data.strip():
            self.texts.append((self.open[-1], data.strip()))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self) -> str:
        return " ".join(text for _, text in self.texts)


def _page(folder: Path) -> Page:
    return Page((folder / "report.html").read_text(encoding="utf-8"))


EVENTS = [
    event(1.0, 4.0),
    event(2.0, 3.0, action=CLASSES[2], track=3),
    event(5.0, 6.5, score=0.9),
]


def test_the_page_says_what_happened(tmp_path: Path) -> None:
    write(["report"], EVENTS, tmp_path)
    page = _page(tmp_path)
    assert page.all("html") == [{"lang": "en"}]
    assert "Actions at gate" in page.text
    assert "gate 7.mp4" in page.text
    assert "0:12.0, 120 frames watched" in page.text
    assert "3 events of 1 actor" in page.text
    cells = [text for tag, text in page.texts if tag in ("td", "th")]
    # Walking: 3 + 1.5 seconds in two events.
    at = cells.index("walking")
    assert cells[at : at + 4] == ["walking", "2", "0:04.5", "0.90"]
    rows = [a for a in page.all("tr") if str(a.get("id")).startswith("event-")]
    assert len(rows) == 3
    assert "running" in page.text  # not seen
    assert CLASSES[2] in page.text  # its <b> is text
    assert page.all("b") == []


def test_the_timeline_leads_to_the_rows(tmp_path: Path) -> None:
    write(["report"], EVENTS, tmp_path)
    page = _page(tmp_path)
    links = [a["href"] for a in page.all("a") if "skip" not in str(a.get("class"))]
    ids = {a["id"] for _, a in page.elements if "id" in a}
    assert links == ["#event-1", "#event-3", "#event-2"]  # lane by lane
    assert all(str(link)[1:] in ids for link in links)
    blocks = [a for a in page.all("rect") if a.get("rx")]
    # 1.0 to 4.0 of 12 seconds.
    assert (blocks[0]["x"], blocks[0]["width"]) == ("8.333%", "25.000%")


def test_every_event_has_a_picture_of_its_actor(tmp_path: Path) -> None:
    write(["report"], EVENTS, tmp_path)
    pictures = _page(tmp_path).all("img")
    assert [picture["alt"] for picture in pictures] == [
        f"{event.action}, track 3" for event in sorted(EVENTS, key=lambda e: e.start_seconds)
    ]
    for picture in pictures:
        head, data = str(picture["src"]).split(",")
        assert head == "data:image/jpeg;base64"
        pixels = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
        assert pixels.shape == (96, 96, 3)
        # The white actor, 30 of the 96 px that its square holds, in the middle of grey ground.
        assert pixels[48, 48].min() > 210
        assert pixels[48, 4].max() < 110


def test_nothing_is_asked_of_the_network(tmp_path: Path) -> None:
    write(["report"], EVENTS, tmp_path)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    for _, attributes in Page(text).elements:
        for name in ("src", "href", "srcset", "action", "data"):
            value = attributes.get(name)
            assert value is None or value.startswith(("data:", "#"))
    assert re.search(r"https?:|url\(|@import|<script", text) is None


def test_tables_can_be_listened_to(tmp_path: Path) -> None:
    write(["report"], EVENTS, tmp_path)
    page = _page(tmp_path)
    assert len(page.all("caption")) == len(page.all("table")) == 3
    assert all(cell.get("scope") in ("row", "col") for cell in page.all("th"))
    assert all(picture["alt"] for picture in page.all("img"))
    assert all(a.get("aria-label") for a in page.all("a") if a.get("class") != "skip")


def test_whole_frame_mode_has_no_actors(tmp_path: Path) -> None:
    write(["report"], [event(1, 2, boxes=(), track=0)], tmp_path, seconds=3)
    page = _page(tmp_path)
    assert ("td", "1 event") in page.texts
    assert "track 3" not in page.text


def test_no_events_is_a_page_too(tmp_path: Path) -> None:
    write(["report"], [], tmp_path, seconds=1)
    page = _page(tmp_path)
    assert "Nothing passed the threshold of its action." in page.text
    assert page.all("svg") == page.all("a") == []


def test_many_events_stay_a_small_page(tmp_path: Path) -> None:
    output = output_in(tmp_path)
    writer = WRITERS["report"](output)
    for step in list(steps_of([event(0, 1)], 100, size=(32, 24)))[::-100][::-1]:
        writer.write(step)
    lines = []
    with output.log:
        output.log.add(event(0.0, 0.0))
    record = json.loads(output.log.path.read_text())
    for number in range(50_000):
        record |= {
            "event_id": str(number),
            "action": CLASSES[number % 3],
            "start_seconds": number / 1000,
            "end_seconds": number / 1000 + 0.2,
            "boxes": [],
        }
        lines.append(json.dumps(record))
    output.log.path.write_text("\n".join(lines) + "\n")
    writer.close()
    assert (tmp_path / "report.html").stat().st_size < 2_000_000
    page = _page(tmp_path)
    rows = [a for a in page.all("tr") if str(a.get("id")).startswith("event-")]
    assert len(rows) == MAX_LISTED
    assert f"The first {MAX_LISTED} of" in page.text
    assert len(page.all("img")) <= MAX_PICTURES
    labels = [str(a["aria-label"]) for a in page.all("a") if a.get("class") != "skip"]
    # All fill the first half without a gap: one block per action.
    assert len(labels) == 3
    assert sum(int(re.findall(r"(\d+) events", label)[-1]) for label in labels) == 50_000


def test_overlapping_events_lie_in_rows() -> None:
    spans = [(0, 4), (1, 2), (3, 5), (4, 6), (1, 9), (1, 9), (1, 9), (1, 9)]
    events = [event(a, b, event_id=str(i), boxes=()) for i, (a, b) in enumerate(spans)]
    blocks = {block.first_id: block.row for block in blocks_of(events)}
    assert blocks == {"0": 0, "1": 1, "4": 2, "5": 3, "6": 4, "7": 4, "2": 1, "3": 0}


def test_cells_count_what_they_join() -> None:
    cells = Cells(CELLS / 10)  # of a tenth of a second each
    for number, (start, end) in enumerate([(0.01, 0.35), (0.2, 0.25), (1.0, 1.0), (39.95, 50)]):
        cells.add(event(start, end, event_id=str(number), boxes=()))
    found = [(b.events, b.first_id, b.start_seconds, b.end_seconds) for b in cells.blocks()]
    assert found == [
        (2, "0", 0.0, pytest.approx(0.4)),
        (1, "2", pytest.approx(1.0), pytest.approx(1.1)),
        (1, "3", pytest.approx(39.9), pytest.approx(40.0)),
    ]


@pytest.mark.parametrize(
    ("length", "expected"),
    [(0.5, [0]), (6.0, [0, 1, 2, 3, 4, 5, 6]), (79.5, [0, 15, 30, 45, 60, 75]), (9e6, None)],
)
def test_ticks_are_few_and_round(length: float, expected: list[int] | None) -> None:
    found = ticks(length)
    assert expected is None or found == expected
    assert len(found) <= 7


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    need("chromium")
    from playwright.sync_api import sync_playwright

    options = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find("chromium"), args=options)
        yield browser
        browser.close()


def test_in_a_browser(browser: object, tmp_path: Path) -> None:
    write(["report", "vtt"], [*EVENTS, event(0, 12, action="r" * 60)], tmp_path)
    page = browser.new_page(viewport={"width": 360, "height": 740})  # type: ignore[attr-defined]
    asked, complaints = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.goto((tmp_path / "report.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert page.evaluate("[...document.images].every(image => image.naturalWidth > 0)")
    page.get_by_role("link", name=re.compile(r"^walking, 0:05\.0 to 0:06\.5")).focus()
    page.keyboard.press("Enter")
    row = page.locator("tr:target")
    assert row.locator("th").inner_text() == "walking"
    assert "0:05.0" in row.inner_text()
    assert [url for url in asked if not url.startswith("data:")] == [page.url.split("#")[0]]
    assert complaints == []
    page.close()


def test_a_browser_reads_the_text_track(browser: object, tmp_path: Path) -> None:
    events: list[Event] = [*EVENTS, event(8, 9, action="<i>a</i> --> b & c")]
    write(["vtt"], events, tmp_path)
    text = (tmp_path / "events.vtt").read_text(encoding="utf-8")
    page = browser.new_page()  # type: ignore[attr-defined]
    cues = page.evaluate(
        """text => new Promise((done, fail) => {
            const video = document.createElement("video");
            const track = document.createElement("track");
            track.src = URL.createObjectURL(new Blob([text], {type: "text/vtt"}));
            track.onload = () => done([...track.track.cues].map(
                cue => [cue.startTime, cue.endTime, cue.getCueAsHTML().textContent]));
            track.onerror = () => fail("not readable");
            video.append(track);
            document.body.append(video);
            track.track.mode = "hidden";
        })""",
        text,
    )
    page.close()
    assert cues == [
        [one.start_seconds, one.end_seconds, f"{one.action} · track 3 · {one.score:.2f}"]
        for one in sorted(events, key=lambda one: one.start_seconds)
    ]
