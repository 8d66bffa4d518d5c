import base64
import json

import av
import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.server.page_browser import (
    EVENTS,
    boxes_of,
    moment_of,
    names_of,
    until,
    watch_video,
)
from tests.server.page_rule import UNIT, random_cases, random_cases_of_one
from tests.server.page_scene import ACTORS, FPS, SECONDS, SIZE

pytest_plugins = ("tests.server.page_fixtures",)


def test_a_chosen_video_is_watched_and_its_events_are_shown(open_page, scene):
    page = watch_video(open_page(), scene)
    assert names_of(page) == EVENTS
    expect(page.locator("#result-title")).to_have_text("scene.mp4")
    expect(page.locator("#num-events")).to_have_text("4 events")
    expect(page.locator("#events tbody tr")).to_have_count(4)
    expect(page.locator("#status")).to_have_text("Done: 4 events of 3 tracks.")
    lane = page.get_by_role("group", name="activity_walking, 2 events")
    expect(lane.get_by_role("button")).to_have_count(2)


def test_a_dropped_video_is_watched(open_page, scene):
    page = open_page()
    transfer = page.evaluate_handle(
        """(text) => {
          const transfer = new DataTransfer();
          const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
          transfer.items.add(new File([bytes], "dropped.mp4", { type: "video/mp4" }));
          return transfer;
        }""",
        base64.b64encode(scene.read_bytes()).decode(),
    )
    page.dispatch_event("#drop", "dragover", {"dataTransfer": transfer})
    assert page.locator("#drop.over").count() == 1
    page.dispatch_event("#drop", "drop", {"dataTransfer": transfer})
    expect(page.locator("#result-title")).to_have_text("dropped.mp4")
    expect(page.locator(".bar")).to_have_count(4)
    assert page.locator("#drop.over").count() == 0


def test_it_plays_with_boxes_where_the_actors_are(open_page, scene):
    page = watch_video(open_page(), scene)
    page.get_by_role("button", name="Play").click()
    until(page, "document.getElementById('video').currentTime > 0.5")
    page.get_by_role("button", name="Pause").click()
    until(page, "document.getElementById('video').paused")
    for name, seconds in (("vehicle_moving", 1.0), ("activity_walking, track 3", 2.0)):
        page.get_by_role("button", name=f"{name}").first.click()
        expect(page.locator("#time")).to_contain_text(f"0:0{seconds}")
        until(page, "!document.getElementById('video').seeking")
        expected = {a.track: a.box_at(seconds) for a in ACTORS if a.start <= seconds <= a.end}
        until(page, f"document.querySelectorAll('.box:not([hidden])').length === {len(expected)}")
        drawn = boxes_of(page)
        assert drawn.keys() == expected.keys()
        for track, box in expected.items():
            np.testing.assert_allclose(drawn[track], box, atol=0.5)
    expect(page.locator(".box[data-track='3']")).to_have_text("3 · activity_walking")
    expect(page.locator("#now")).to_contain_text("track 2: vehicle_moving")
    page.locator(".box[data-track='1']").click()
    expect(page.locator("#track")).to_have_value("1")
    assert page.evaluate("document.getElementById('video').paused")


def test_boxes_between_samples_are_interpolated(open_page):
    track = {
        "track": 5,
        **{"start_seconds": 1.0, "end_seconds": 3.0, "windows": []},
        "boxes": [[1.0, 0, 0, 10, 10], [2.0, 10, 20, 20, 30], [3.0, 10, 20, 40, 30]],
    }
    settings = {"smoothing_seconds": 0}
    result = {"tracks": [track], "settings": settings, "class_names": [], "thresholds": []}
    found = open_page().evaluate(
        """async (result) => {
          const { Analysis } = await import("/static/analysis.js");
          const [track] = new Analysis(result, "").tracks;
          return [0.9, 1, 1.25, 2.5, 3, 3.1].map((seconds) => track.boxAt(seconds));
        }""",
        result,
    )
    inside = [[0, 0, 10, 10], [2.5, 5, 12.5, 15], [10, 20, 30, 30], [10, 20, 40, 30]]
    assert found == [None, *inside, None]


def test_a_click_in_the_timeline_seeks(open_page, scene):
    page = watch_video(open_page(), scene)
    bar = page.get_by_role("button", name="activity_carrying", exact=False).first
    bar.click()
    assert moment_of(page) == pytest.approx(2.75, abs=0.01)
    expect(bar).to_have_attribute("aria-current", "true")
    assert page.locator("#track").input_value() == "1"
    lanes = page.locator("#lanes").bounding_box()
    page.mouse.click(lanes["x"] + 0.75 * lanes["width"], lanes["y"] + 8)
    assert moment_of(page) == pytest.approx(0.75 * SECONDS, abs=0.02)
    page.get_by_role(
        "button", name="vehicle_moving, track 2, 0:01 to 0:03, score 0.80: show"
    ).click()
    assert moment_of(page) == pytest.approx(1.0, abs=0.01)


def _slider(page: Page, name: str) -> Locator:
    return page.get_by_role("slider", name=name, exact=True)


def test_a_threshold_relabels_at_once_and_the_files_follow(open_page, scene, tmp_path):
    page = watch_video(open_page(), scene)
    slider = _slider(page, "vehicle_moving")
    assert float(slider.get_attribute("aria-valuetext")) == pytest.approx(0.506, abs=1e-3)
    slider.fill("0.4")
    expect(page.locator("#num-events")).to_have_text("5 events")
    expect(page.locator("#events tbody tr")).to_have_count(5)
    assert "vehicle_moving, track 2, 0:05 to 0:08, score 0.45" in names_of(page)
    _slider(page, "activity_walking").fill("0.8")
    expect(page.locator("#num-events")).to_have_text("4 events")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as JSON").click()
    download.value.save_as(tmp_path / "saved")
    saved = json.loads((tmp_path / "saved").read_text())
    assert download.value.suggested_filename == "scene-events.json"
    assert [event["action"] for event in saved["events"]].count("vehicle_moving") == 2
    assert saved["settings"]["onset"]["vehicle_moving"] == 0.4
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as CSV").click()
    download.value.save_as(tmp_path / "saved")
    lines = (tmp_path / "saved").read_text().splitlines()
    assert lines[0] == "source,track,action,score,start_seconds,end_seconds"
    assert lines[1] == "scene.mp4,1,activity_walking,0.9,0,7"
    assert len(lines) == 5
    page.get_by_role("button", name="Reset thresholds").click()
    expect(page.locator("#num-events")).to_have_text("4 events")
    assert names_of(page) == EVENTS


def test_every_class_has_a_slider(open_page, scene, synthetic):
    page = watch_video(open_page(), scene)
    names = synthetic.description.labels.class_names
    page.get_by_role("button", name=f"All {len(names)} classes").click()
    sliders = page.locator("#score-rows input:visible")
    expect(sliders).to_have_count(len(names))
    _slider(page, "activity_walking").fill("1")
    _slider(page, "activity_carrying").fill("1")
    _slider(page, "vehicle_moving").fill("1")
    expect(page.locator("#no-events")).to_be_visible()
    expect(page.locator("#num-events")).to_have_text("0 events")


def test_stored_events_are_searched_and_turned_page_by_page(open_page):
    page = open_page()
    search = page.get_by_role("search")
    search.get_by_label("Camera").fill("gate")
    search.get_by_role("button", name="Search").click()
    status, rows = page.locator("#found-status"), page.locator("#found tbody tr")
    expect(status).to_have_text("30 events found.")
    expect(rows).to_have_count(25)
    expect(rows.first).to_contain_text("activity_running")
    page.locator("#found-pages").get_by_role("button", name="Next").click()
    expect(rows).to_have_count(5)
    expect(page.locator("#found-pages")).to_contain_text("26 to 30 of 30")
    search.get_by_label("Score from").fill("0.7")
    search.get_by_label("Until").fill("2026-05-04T12:24")
    search.get_by_label("From", exact=True).fill("2026-05-04T12:21")
    search.get_by_label("From", exact=True).press("Enter")
    expect(status).to_have_text("3 events found.")
    expect(rows.first).to_contain_text("4 May 2026, 12:23")
    search.get_by_label("Action").fill("Talking")
    search.get_by_label("Action").press("Enter")
    expect(status).to_have_text("No stored event is like this.")
    expect(rows.first).to_be_hidden()


def test_the_whole_picture_has_events_without_boxes(open_page, scene):
    page = open_page()
    page.get_by_label("Look for").select_option("none")
    watch_video(page, scene)
    assert names_of(page)[0].startswith("activity_carrying, whole picture, ")
    page.locator(".bar").first.click()
    expect(page.locator("#now")).to_contain_text("whole picture: ")
    expect(page.locator(".box")).to_have_count(0)


def test_a_choice_made_before_the_server_answers_stays(open_page):
    page = open_page()
    expect(page.locator("#limits")).not_to_be_empty()
    held = []
    page.route("**/v1/model", lambda route: held.append(route))
    with page.expect_request("**/v1/model"):
        page.reload()
    page.get_by_label("Look for").select_option("none")
    expect(page.locator("#limits")).to_be_empty()
    held.pop().continue_()
    expect(page.locator("#limits")).not_to_be_empty()
    expect(page.get_by_label("Look for")).to_have_value("none")


def test_a_format_that_the_browser_cannot_play_keeps_boxes_and_timeline(open_page, tmp_path):
    path = tmp_path / "scene.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", FPS)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        for _ in range(round(SECONDS * FPS)):
            picture = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    page = open_page()
    page.set_input_files("#file", path)
    expect(page.locator("#unplayable")).to_be_visible()
    page.get_by_role("button", name="vehicle_moving").first.click()
    expect(page.locator("#time")).to_contain_text("0:01.0")
    np.testing.assert_allclose(boxes_of(page)[1], ACTORS[0].box_at(1.0), atol=0.5)
    page.get_by_role("button", name="Play").click()
    until(page, "document.getElementById('scrubber').valueAsNumber > 1.3")
    page.get_by_role("button", name="Pause").click()
    page.get_by_label("Moment", exact=True).fill("6")
    expect(page.locator("#time")).to_contain_text("0:06.0")


def test_events_equal_a_brute_force_of_the_rule(open_page):
    cases, expected = random_cases(300, seed=7)
    found = open_page().evaluate(
        """async (text) => {
          const cases = JSON.parse(text);  // Playwright is slow to hand over so many values
          const { cellsOf, smooth, spansOf } = await import("/static/hysteresis.js");
          return cases.map(({ track, settings, onset }) => {
            const scores = smooth(track, 1, settings.smoothing_seconds);
            const spans = spansOf(cellsOf(track), scores, onset, settings);
            return spans.map(({ start, end, score }) => [start, end, score]);
          });
        }""",
        json.dumps(cases),
    )
    assert sum(map(len, expected)) > 300
    for ours, theirs in zip(found, expected, strict=True):
        assert len(ours) == len(theirs)
        for span, (start, end, score) in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(span, [start / UNIT, end / UNIT, score], atol=1e-9)


def test_events_that_exclude_each_other_equal_a_brute_force_of_the_rule(open_page):
    cases, expected = random_cases_of_one(300, seed=11)
    found = open_page().evaluate(
        """async (text) => {
          const cases = JSON.parse(text);
          const { Analysis } = await import("/static/analysis.js");
          const facts = { task: "single", class_names: [0, 1, 2, 3], thresholds: [1, 1, 1, 1] };
          return cases.map(({ track, settings, onsets }) => {
            const tracks = [{ ...track, track: 1, boxes: [] }];
            const analysis = new Analysis({ ...facts, tracks, settings }, "");
            const first = analysis.events.length; // no score passes
            onsets.forEach((onset, k) => analysis.setOnset(k, onset));
            const rows = analysis.eventsOf.flat();
            return [first, rows.map((row) => [row.action, row.start, row.end, row.score])];
          });
        }""",
        json.dumps(cases),
    )
    assert sum(map(len, expected)) > 600
    for (first, ours), theirs in zip(found, expected, strict=True):
        assert first == 0
        assert len(ours) == len(theirs)
        for event, (label, start, end, score) in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(event, [label, start / UNIT, end / UNIT, score], atol=1e-9)


def test_one_action_at_a_time(open_page, single_site, scene, tmp_path):
    page = watch_video(open_page(single_site.url), scene)
    excluded = "activity_carrying, track 1, 0:02 to 0:05, score 0.50"
    alone = [event for event in EVENTS if event != excluded]
    assert names_of(page) == alone
    expect(page.locator("#about")).to_contain_text("one action at a time")
    page.get_by_label("Moment", exact=True).fill("4")
    page.locator("#track").select_option("1")
    expect(page.locator(".level.on")).to_have_count(1)
    expect(page.locator("#now li").first).to_have_text("track 1: activity_walking")
    # Whoever most likely walks, but not likely enough, is not told to carry something instead.
    _slider(page, "activity_walking").fill("0.95")
    expect(page.locator("#num-events")).to_have_text("1 event")
    assert names_of(page) == [event for event in EVENTS if "vehicle" in event]
    page.get_by_role("button", name="Reset thresholds").click()
    expect(page.locator("#num-events")).to_have_text("3 events")
    assert names_of(page) == alone
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as JSON").click()
    download.value.save_as(tmp_path / "saved")
    assert json.loads((tmp_path / "saved").read_text())["task"] == "single"
