import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from rich.progress import Progress

from lilliput.cli.output import messages
from lilliput.cli.watch import camera_name
from lilliput.cli.watch_lines import ProgressLines
from lilliput.data import read_dataset
from lilliput.video.encode import write_video
from lilliput.watch.database import EventQuery, EventStore
from lilliput.watch.log import iter_events
from lilliput.watch.outputs import Watched

RunCli = Callable[..., tuple[int, str, str]]

SETTINGS = """
[events]
onset = {turn_left = 0.0, turn_right = 0.0}
min_on_seconds = 0.2
[windows]
window_seconds = 1.0
"""


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """A bright block crosses the picture from the second second on."""
    rng = np.random.default_rng(1)
    frames = np.repeat(rng.integers(60, 90, (1, 96, 128, 3), dtype=np.uint8), 60, axis=0)
    for index in range(20, 60):
        frames[index, 40:72, 2 * index : 2 * index + 14] = 230
    path = tmp_path / "yard.mp4"
    write_video(path, frames, fps=10)
    return path


@pytest.fixture
def watch(run_cli: RunCli, micro_file: Path, tmp_path: Path) -> RunCli:
    settings = tmp_path / "watch.toml"
    settings.write_text(SETTINGS)

    def run(*words: object, toml: Path = settings) -> tuple[int, str, str]:
        common = ("--settings", toml, "--engine", "torch", "--out", tmp_path / "out")
        return run_cli("watch", micro_file, *words, *common)

    return run


def test_tells_stores_and_writes_the_same_events(
    watch: RunCli, video: Path, tmp_path: Path
) -> None:
    database = tmp_path / "events.db"
    words = ("--json", "--write", "csv", "--write", "vtt", "--database", database)

    code, out, err = watch(video, *words)

    assert code == 0, err
    told = [json.loads(line) for line in out.splitlines()]
    ended = [news["event"]["event_id"] for news in told if news["type"] == "end"]
    logged = [event.event_id for event in iter_events(tmp_path / "out" / "yard" / "events.jsonl")]
    with EventStore(str(database)) as store:
        stored = [event.event_id for event in store.query(EventQuery())]
    assert ended == logged and sorted(stored) == sorted(logged) and len(logged) > 0
    assert "yard: " in err and "as fast as it lasts" in err
    for name in ("events.csv", "events.vtt"):
        assert (tmp_path / "out" / "yard" / name).is_file()
        assert str(tmp_path / "out" / "yard" / name) in err
    assert not (tmp_path / "out" / "yard" / "report.html").exists()


def test_uncertain_clips_can_be_read_for_training(
    watch: RunCli, video: Path, tmp_path: Path
) -> None:
    settings = tmp_path / "unsure.toml"
    settings.write_text(SETTINGS.replace("turn_left = 0.0", "turn_left = 0.95"))  # it scores so

    code, _, err = watch(video, "--save-crops", tmp_path / "crops", toml=settings)

    assert code == 0, err
    dataset = read_dataset(tmp_path / "crops" / "manifest.csv")
    clips = [clip for split in dataset.splits.values() for clip in split]
    assert clips and all(clip.read()[:].shape[0] > 1 for clip in clips)
    assert dataset.labels.class_names == ("[Sit]", "turn_left", "turn_right")


def test_one_bad_file_is_listed_and_the_exit_code_says_so(
    watch: RunCli, video: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"no video")

    code, _, err = watch(bad, video)

    assert code == 2
    assert "bad: could not be watched: " in err and "Traceback" not in err
    assert "1 of 2 sources could not be watched" in err
    assert (tmp_path / "out" / "yard" / "report.html").is_file()


@pytest.mark.parametrize(
    ("words", "toml", "reason"),
    [
        ((), "", "nothing to watch"),
        (("x.mp4",), '[[camera]]\nname = "a"\nsource = "b"\n', "not both"),
        (("x.mp4",), "[events]\nonset = {run = 0.5}\n", "the model knows no action 'run'"),
        (("x.mp4", "--mqtt", "http://x"), "", "--mqtt"),
        (("x.mp4", "--database", "ftp://x"), "", "--database"),
        (("x.mp4", "--blur", "--save-crops", "crops"), "", "exclude each other"),
        (("x.mp4", "--write", "wav"), "", "wav"),
        (("none.toml",), None, "cannot be read"),
    ],
)
def test_mistakes_are_told_before_anything_is_watched(
    watch: RunCli,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    toml: str | None,
    reason: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = tmp_path / "other.toml"
    if toml is not None:
        settings.write_text(toml)

    code, out, err = watch(*words, toml=settings)

    assert code == 2
    assert reason in err and "Traceback" not in err
    assert out == "" and not (tmp_path / "out").exists()


def test_what_goes_wrong_is_told_once_and_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Also where there are so many notes that the oldest are forgotten."""
    with Progress(console=messages, transient=True, disable=True) as bar:
        tell = ProgressLines(bar)
        gate = Watched("gate", "rtsp://192.0.2.7/")
        tell(gate)
        gate.notes += ["not reached: no answer", "reached after 3.0 s"]
        tell(gate)
        tell(gate)
        gate.notes[:] = [gate.notes[-1], "lost: silent for 10 s"]
        gate.error = "the disk is full"
        tell(gate)
    assert capsys.readouterr().err.splitlines() == [
        "gate: note: not reached: no answer",
        "gate: note: reached after 3.0 s",
        "gate: note: lost: silent for 10 s",
        "gate: could not be watched: the disk is full",
    ]


def test_every_file_has_a_camera_of_its_own(watch: RunCli, video: Path, tmp_path: Path) -> None:
    names = ("a/yard.mp4", "b/yard.mp4", "c/Yard.mp4", "d/yard-2.mp4")
    for name in names:
        (tmp_path / "all" / name).parent.mkdir(parents=True)
        (tmp_path / "all" / name).write_bytes(b"no video")

    code, _, err = watch(tmp_path / "all")

    assert code == 2
    for name, camera in zip(names, ("yard", "yard-2", "Yard-3", "yard-2-2"), strict=True):
        assert f"{camera}: could not be watched: {tmp_path / 'all' / name}" in err
    assert "4 of 4 sources" in err


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("videos/Gate 1 (night).mp4", "Gate_1_night"),
        ("rtsp://me:se%40cret@192.0.2.7:554/live?channel=1", "192_0_2_7_554_live"),
        (
            "rtsp://192.0.2.7/user=me&password=se_cret&channel=1",
            "192_0_2_7_user_me_password_channel_1",
        ),
        ("http://192.0.2.7/live;token=se_cret", "192_0_2_7_live_token"),
        ("/dev/video0", "video0"),
        ("???.mp4", "camera"),
    ],
)
def test_cameras_without_a_name_get_one(source: str, name: str) -> None:
    assert camera_name(source) == name
