"""What the tests of the page ask of a browser."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page

from tests.server.page_scene import SIZE

OpenPage = Callable[..., Page]
EVENTS = [
    "activity_carrying, track 1, 0:02 to 0:05, score 0.50",
    "activity_walking, track 1, 0:00 to 0:07, score 0.90",
    "activity_walking, track 3, 0:02 to 0:06, score 0.70",
    "vehicle_moving, track 2, 0:01 to 0:03, score 0.80",
]


@dataclass
class Site:
    """A server with its page; ``gate`` holds videos back half way."""

    url: str
    gate: threading.Event


def watch_video(page: Page, scene: Path) -> Page:
    page.set_input_files("#file", scene)
    page.wait_for_selector(".bar")
    until(page, "document.getElementById('video').readyState >= 2")
    return page


def names_of(page: Page) -> list[str]:
    return sorted(bar.get_attribute("aria-label") for bar in page.locator(".bar").all())


def moment_of(page: Page) -> float:
    return page.evaluate("document.getElementById('video').currentTime")


def boxes_of(page: Page) -> dict[int, list[float]]:
    """Where boxes are drawn, in px of the video."""
    drawn = page.evaluate("""() => {
      const stage = document.getElementById("video").getBoundingClientRect();
      return [...document.querySelectorAll(".box:not([hidden])")].map((box) => {
        const { left, top, right, bottom } = box.getBoundingClientRect();
        const x = (at) => (at - stage.left) / stage.width;
        const y = (at) => (at - stage.top) / stage.height;
        return [Number(box.dataset.track), x(left), y(top), x(right), y(bottom)];
      });
    }""")
    width, height = SIZE
    return {track: [x * width, y * height, r * width, b * height] for track, x, y, r, b in drawn}


def until(page: Page, condition: str) -> None:
    """Waits for it; Playwright's own way needs eval, which the page forbids."""
    page.evaluate(
        """(condition) => new Promise((resolve, reject) => {
          const since = performance.now();
          const look = () => {
            if (CONDITION) resolve();
            else if (performance.now() - since > 30000) reject(`never: ${condition}`);
            else requestAnimationFrame(look);
          };
          look();
        })""".replace("CONDITION", condition),
        condition,
    )
