"""What a careless or malicious user gives ``lilliput watch``, end to end."""

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from lilliput.errors import ConfigError, DataError
from lilliput.video.encode import write_video
from lilliput.watch.database import EventQuery
from lilliput.watch.log import EventLog

RunCli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def watch(run_cli: RunCli, micro_file: Path, tmp_path: Path) -> RunCli:
    def run(*words: object) -> tuple[int, str, str]:
        out = ("--out", tmp_path / "out", "--detector", "none", "--engine", "torch")
        return run_cli("watch", micro_file, *words, *out)

    return run


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "yard.mp4"
    write_video(path, np.zeros((6, 16, 16, 3), dtype=np.uint8), fps=10)
    return path


def _settings(tmp_path: Path, video: Path, line: str) -> Path:
    path = tmp_path / "watch.toml"
    path.write_text(f'[[camera]]\nname = "gate"\nsource = "{video}"\n{line}\n')
    return path


def test_no_name_of_a_file_ends_the_run(watch: RunCli, video: Path, tmp_path: Path) -> None:
    (tmp_path / "all").mkdir()
    for name in ("-dash", "--", "-- rm", os.fsdecode(b"\xff"), "l" * 200, "a\nb"):
        (tmp_path / "all" / f"{name}.mp4").write_bytes(video.read_bytes())

    code, _, err = watch(tmp_path / "all")

    assert code == 0, err
    made = {path.name for path in (tmp_path / "out").iterdir()}
    assert len(made) == 6
    assert {"dash", "camera", "rm", "a_b", "l" * 50} <= made


def test_an_empty_source_is_not_the_current_folder(watch: RunCli) -> None:
    code, _, err = watch("")

    assert code == 2 and "a source is empty" in err


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("starts_at = 0001-01-01T00:00:00", "give a year from 1900 to 2199"),
        ("starts_at = 9999-12-31T23:59:59Z", "give a year from 1900 to 2199"),
        ("ignore = [[[0, 0], [0, 0], [0, 0]]]", "all corners are on one line"),
        ("include = [[[0, 0], [0.5, 0.5], [1, 1]]]", "all corners are on one line"),
    ],
)
def test_settings_that_cannot_be_meant(
    watch: RunCli, video: Path, tmp_path: Path, line: str, reason: str
) -> None:
    code, _, err = watch("--settings", _settings(tmp_path, video, line))

    assert code == 2 and reason in err and "Traceback" not in err
    assert not (tmp_path / "out").exists()


def test_a_zone_whose_edges_cross_has_an_area(watch: RunCli, video: Path, tmp_path: Path) -> None:
    line = "include = [[[0, 0], [1, 1], [1, 0], [0, 1]]]"  # of which the signed area is 0

    code, _, err = watch("--settings", _settings(tmp_path, video, line))

    assert code == 0, err


def test_a_log_nested_too_deep_is_told_in_one_line(tmp_path: Path) -> None:
    log = tmp_path / "events.jsonl"
    log.write_text("[" * 200_000 + "\n")

    with pytest.raises(DataError, match="line 1 is not an event"):
        EventLog(log, resume=True)


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
def test_a_time_beyond_all_times_is_the_clients_mistake(text: str) -> None:
    with pytest.raises(ConfigError, match="out of range"):  # not: the database does not answer
        EventQuery(until=datetime.fromisoformat(text))


@pytest.mark.parametrize("resume", [False, True])
def test_a_log_has_one_writer(tmp_path: Path, resume: bool) -> None:
    path = tmp_path / "events.jsonl"
    running = EventLog(path, resume=False)
    with pytest.raises(ConfigError, match="written by another run"):
        EventLog(path, resume=resume)
    running.close()
    EventLog(path, resume=resume).close()
