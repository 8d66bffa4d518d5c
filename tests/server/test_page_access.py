from itertools import pairwise

import pytest
from playwright.sync_api import Page, expect

from tests.server.page_browser import EVENTS, moment_of, until, watch_video

pytest_plugins = ("tests.server.page_fixtures",)


def _focused(page: Page) -> str:
    return page.evaluate("document.activeElement.id || document.activeElement.className")


def _tab_to(page: Page, name: str) -> None:
    for _ in range(60):
        page.keyboard.press("Tab")
        if name in _focused(page):
            style = "getComputedStyle(document.activeElement)"
            if name == "file":  # its label stands for it
                style = "getComputedStyle(document.querySelector('.button'))"
            assert page.evaluate(f"{style}.outlineStyle") == "solid"
            return
    pytest.fail(f"Tab does not reach {name}")


def test_the_keyboard_is_enough(open_page, scene):
    page = open_page()
    page.on("filechooser", lambda chooser: chooser.set_files(scene))
    _tab_to(page, "file")
    page.keyboard.press("Enter")
    expect(page.locator("#result")).to_be_focused()
    _tab_to(page, "play")
    page.keyboard.press("Enter")
    until(page, "document.getElementById('video').currentTime > 0.2")
    page.keyboard.press("Space")
    until(page, "document.getElementById('video').paused")
    _tab_to(page, "bar")
    name = "document.activeElement.getAttribute('aria-label')"
    visited = []
    for key in ("Home", "ArrowUp", "ArrowUp", "ArrowUp", "ArrowDown", "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
        visited.append(page.evaluate(name))
    carrying, walking1, walking3, driving = EVENTS
    assert visited == [walking1, driving, carrying, carrying, driving, walking1, walking3]
    page.keyboard.press("Enter")
    assert moment_of(page) == pytest.approx(2.0, abs=0.01)
    _tab_to(page, "onset-")
    before = page.locator("#num-events").text_content()
    page.keyboard.press("End")
    expect(page.locator("#num-events")).not_to_have_text(before)


def test_a_narrow_phone_needs_no_sideways_scrolling(open_page, scene):
    page = open_page(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    widest = "document.documentElement.scrollWidth"
    assert page.evaluate(widest) <= 360
    watch_video(page, scene)
    page.get_by_role("search").get_by_role("button").click()
    expect(page.locator("#found tbody tr").first).to_be_attached()
    assert page.evaluate(widest) <= 360
    outside = page.evaluate("""() =>
      [...document.querySelectorAll("button, input, select, a")]
        .filter((element) => !element.closest(".scroll, .skip, .unseen"))
        .filter((element) => element.checkVisibility())
        .filter((element) => {
          const { left, right, width } = element.getBoundingClientRect();
          return width === 0 || left < 0 || right > 360;
        })
        .map((element) => element.outerHTML)
    """)
    assert outside == []
    page.locator(".bar").last.tap()
    assert moment_of(page) == pytest.approx(2.0, abs=0.01)


CONTRASTS = """() => {
  const parse = (text) => {
    const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
    return [r, g, b, a];
  };
  const luminance = (rgb) => {
    const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = rgb.map((v) => linear(v / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const backgroundOf = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour[3] === 1) return colour;
    }
    return parse(getComputedStyle(document.body).backgroundColor);
  };
  const found = {};
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue;
    if (element.closest(":disabled, .unseen, .skip, #stage, option")) continue;
    const [text, page] = [parse(getComputedStyle(element).color), backgroundOf(element)];
    const both = [text, page].map((colour) => luminance(colour.slice(0, 3)));
    const [dark, light] = both.sort((a, b) => a - b);
    const name = `${element.tagName}.${element.className}: ${walker.currentNode.data}`;
    found[name] = (light + 0.05) / (dark + 0.05);
  }
  return found;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_stand_out(open_page, scene, tmp_path, scheme):
    page = watch_video(open_page(color_scheme=scheme), scene)
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"no video")
    page.set_input_files("#file", bad)
    expect(page.get_by_role("alert").get_by_role("button")).not_to_have_count(0)
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(22, 25, 29)")
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 40
    assert {name: value for name, value in contrasts.items() if value < 4.5} == {}


def test_everything_has_a_name_and_a_place(open_page, scene):
    page = watch_video(open_page(), scene)
    nameless = page.evaluate("""() =>
      [...document.querySelectorAll("button, input, select, video, [role=region], section")]
        .filter((e) => !(e.labels?.length || e.getAttribute("aria-label") || e.textContent.trim()))
        .filter((e) => !e.getAttribute("aria-labelledby"))
        .map((e) => e.outerHTML)
    """)
    assert nameless == []
    levels = page.evaluate(
        "[...document.querySelectorAll('h1, h2, h3')].map((e) => Number(e.tagName[1]))"
    )
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert page.get_by_role("main").count() == page.get_by_role("search").count() == 1
    assert page.evaluate("document.querySelectorAll('[id]').length") == page.evaluate(
        "new Set([...document.querySelectorAll('[id]')].map((e) => e.id)).size"
    )
