"""``data tinyvirat`` on a small set in MEVA's format."""

import json
from pathlib import Path

import pytest

from lilliput.data import read_dataset
from tests.data.surveillance.staged import MEVA, numbered, write_kpf

BOX = {1: {0: (20, 30, 40, 70), 149: (20, 30, 40, 70)}}
ACTIVITIES = [
    ("person_talks_to_person", (3, 99), [1]),
    ("person_sits_down", (3, 99), [1]),
    ("juggles", (3, 9), [1]),
    ("Talking", (3, 9), [2]),
]


@pytest.fixture
def set_(tmp_path: Path, write_lossless) -> Path:
    for camera in ("G299", "G330"):
        name = MEVA.replace("G299", camera)
        write_lossless(tmp_path / "videos" / f"{name}.avi", numbered(100), 30)
        write_kpf(tmp_path / "kpf", name, ACTIVITIES, BOX)
    return tmp_path


def options(root: Path, *more: object) -> tuple[object, ...]:
    return (
        *("data", "tinyvirat", "--videos", root / "videos", "--annotations", root / "kpf"),
        *("--out", root / "out", *more),
    )


def test_cut_and_read(set_: Path, run_cli) -> None:
    write_kpf(set_ / "kpf", "absent", ACTIVITIES, BOX)
    names = set_ / "names.json"
    names.write_text(json.dumps({"person_sits_down": "Misc"}))
    code, out, err = run_cli(*options(set_, "--names", names))
    assert code == 0, err
    assert err.strip().splitlines() == [
        f"skipped: {set_ / 'videos'}: holds no video of recording 'absent'; add it, or take its "
        "annotations away"
    ]
    assert out.splitlines() == [
        f"clips: 2 train, 2 val; in {set_ / 'out'}",
        "left out: 4 clips that show the same as another, 2 activities without a box",
        "activities of unknown names; map them with --names: 2 juggles",
        "recordings skipped or not whole: 1",
    ]
    dataset = read_dataset(set_ / "out")
    assert {len(clip.labels) for split in dataset.splits.values() for clip in split} == {2}
    code, out, err = run_cli("data", "check", set_ / "out")
    assert code == 0, out


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--max-side", 12), "nothing to cut"),
        (("--names", "absent.json"), "absent.json: cannot be read"),
    ],
)
def test_mistakes_are_one_line(set_: Path, run_cli, more: tuple, message: str) -> None:
    code, out, err = run_cli(*options(set_, *more))
    assert (code, out) == (2, "")
    (line,) = err.strip().splitlines()
    assert line.startswith("error: ")
    assert message in line


def test_all_recordings_unusable(set_: Path, run_cli) -> None:
    for path in (set_ / "kpf").glob("*.geom.yml"):
        path.unlink()
    code, out, err = run_cli(*options(set_))
    assert (code, out) == (2, "")
    (line,) = err.strip().splitlines()
    assert "has no geometry; put" in line
