from playwright.sync_api import expect

from lilliput.server.app import create_app
from lilliput.server.settings import ServerSettings
from tests.server.page_browser import EVENTS, names_of, watch_video
from tests.server.page_scene import watch_scene
from tests.server.page_server import serve

pytest_plugins = ("tests.server.page_fixtures",)


def test_a_bad_file_is_told_and_nothing_is_lost(open_page, scene, tmp_path):
    page = watch_video(open_page(), scene)
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"no video at all" * 100)
    page.set_input_files("#file", bad)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("upload")
    expect(page.locator("#progress")).to_be_hidden()
    assert names_of(page) == EVENTS
    alert.get_by_role("button", name="Close").click()
    expect(alert).to_be_empty()
    large = tmp_path / "large.mp4"
    large.write_bytes(bytes(2 * 2**20))
    page.set_input_files("#file", large)
    expect(alert).to_contain_text(
        "The file large.mp4 is 2 MiB large; this server takes at most 1 MiB."
    )
    page.set_input_files("#file", scene)
    expect(alert).to_be_empty()
    expect(page.locator("#status")).to_contain_text("Done")


def test_a_busy_server_and_a_lost_network_can_be_tried_again(open_page, scene):
    page = open_page()
    answers = [
        lambda route: route.fulfill(status=429, json={"detail": "too many videos are waiting"}),
        lambda route: route.abort(),
        lambda route: route.continue_(),
    ]
    page.route("**/v1/watch", lambda route: answers.pop(0)(route))
    page.set_input_files("#file", scene)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Too many videos are waiting.")
    alert.get_by_role("button", name="Try again").click()
    expect(alert).to_contain_text("The server does not answer.")
    alert.get_by_role("button", name="Try again").click()
    expect(page.locator(".bar")).to_have_count(4)
    expect(alert).to_be_empty()


def test_a_lost_stream_is_taken_up_again(open_page, scene):
    page = open_page()
    lost = [True, True]
    page.route(
        "**/stream", lambda route: route.abort() if lost and lost.pop() else route.continue_()
    )
    page.set_input_files("#file", scene)
    expect(page.locator(".bar")).to_have_count(4)
    assert not lost


def test_a_job_can_be_cancelled(open_page, site, scene):
    page = open_page()
    site.gate.clear()
    try:
        page.set_input_files("#file", scene)
        expect(page.locator("#bar-text")).to_contain_text("1 event so far")
        with page.expect_response(lambda r: r.request.method == "DELETE") as response:
            page.get_by_role("button", name="Cancel").click()
        assert response.value.status == 204
    finally:
        site.gate.set()
    expect(page.locator("#progress")).to_be_hidden()
    expect(page.locator("#status")).to_have_text("Cancelled.")
    expect(page.get_by_role("alert")).to_be_empty()
    page.get_by_role("button", name="Watch scene.mp4 again").click()
    expect(page.locator(".bar")).to_have_count(4)


def test_a_token_is_asked_for_and_kept_for_the_session(open_page, synthetic, scene, site):
    settings = ServerSettings(token="open-sesame")
    with serve(create_app(settings, synthetic, watch_scene(site.gate))) as url:
        page = open_page(url)
        field = page.get_by_label("Token of this server")
        expect(field).to_be_visible()
        expect(page.get_by_role("alert")).to_be_empty()
        field.fill("wrong")
        field.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("token")
        field.fill("open-sesame")
        field.press("Enter")
        expect(field).to_be_hidden()
        expect(page.get_by_role("alert")).to_be_empty()
        watch_video(page, scene)
        page.reload()
        expect(page.locator("#no-database")).to_be_visible()
        expect(field).to_be_hidden()
        page.context.close()
