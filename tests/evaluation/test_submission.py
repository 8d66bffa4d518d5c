import zipfile
from pathlib import Path

import numpy as np
import pytest

from lilliput.errors import DataError
from lilliput.evaluation.scored import ScoredClips
from lilliput.evaluation.submission import validate_submission, write_submission

THRESHOLDS = np.array([0.5, 0.25])


def _scored(clip_ids: list[str], scores: list[list[float]]) -> ScoredClips:
    return ScoredClips(
        clip_ids=np.array(clip_ids),
        recordings=np.array(clip_ids),
        sides=np.zeros(len(clip_ids), dtype=np.int64),
        scores=np.array(scores, dtype=np.float32),
        targets=np.zeros((0, 2), dtype=bool),
        class_names=np.array(["walk", "run"]),
        unreadable=np.array([], dtype=str),
    )


SHUFFLED = _scored(["00002", "00000", "00001"], [[0.5, 0.3], [0.6, 0.1], [0.0, 0.0]])


def _zip(path: Path, text: str | bytes, name: str = "answer.txt") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, text)
    return path


def test_the_format(tmp_path: Path) -> None:
    write_submission(SHUFFLED, THRESHOLDS, tmp_path / "new" / "answer.zip")
    with zipfile.ZipFile(tmp_path / "new" / "answer.zip") as archive:
        assert archive.namelist() == ["answer.txt"]
        # No clock: the same answers make the same file on another day.
        assert archive.infolist()[0].date_time == (1980, 1, 1, 0, 0, 0)
        # A score must exceed its threshold; 00001 could not be read and has no label.
        assert archive.read("answer.txt") == b"00000 1 0\n00001 0 0\n00002 0 1\n"
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["answer.zip"]


def test_what_was_written_is_valid(tmp_path: Path) -> None:
    write_submission(SHUFFLED, THRESHOLDS, tmp_path / "a.zip")
    labels = validate_submission(tmp_path / "a.zip", SHUFFLED.clip_ids, 2)
    np.testing.assert_array_equal(labels, [[1, 0], [0, 0], [0, 1]])
    assert labels.dtype == bool


def test_equal_answers_make_equal_files(tmp_path: Path) -> None:
    write_submission(SHUFFLED, THRESHOLDS, tmp_path / "a.zip")
    other = _scored(["00000", "00001", "00002"], [[0.9, 0.0], [0.1, 0.2], [0.2, 0.9]])
    write_submission(other, THRESHOLDS, tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    write_submission(other, THRESHOLDS / 8, tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() != (tmp_path / "b.zip").read_bytes()


@pytest.mark.parametrize("clip_id", ["a b", "tür", ""])
def test_ids_that_the_format_cannot_hold(tmp_path: Path, clip_id: str) -> None:
    with pytest.raises(DataError, match=f"clip id '{clip_id}' cannot stand in a submission"):
        write_submission(_scored([clip_id], [[0, 0]]), THRESHOLDS, tmp_path / "a.zip")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a 0 1\n", "must hold each of the 2 ids once, in order: b is missing"),
        ("a 0 1\na 0 1\nb 0 0\n", "ids are doubled, unknown or unsorted"),
        ("b 0 1\na 0 1\n", "ids are doubled, unknown or unsorted"),
        ("a 0 1\nb 0 1\nc 0 1\n", "ids are doubled, unknown or unsorted"),
        ("a 0 1\nb 0\n", "line 2 must be an id and 2 times 0 or 1"),
        ("a 0 1 1\nb 0 1\n", "line 1 must be an id and 2 times 0 or 1"),
        ("a 0 1\nb 0 2\n", "line 2 must be an id and 2 times 0 or 1"),
        ("a 0 1\n\nb 0 1\n", "line 2 must be an id"),
        ("", "a is missing"),
        ("é 0 1\n", "not a zip that holds answer.txt"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = _zip(tmp_path / "a.zip", text)
    with pytest.raises(DataError, match=message) as caught:
        validate_submission(path, np.array(["b", "a"]), 2)
    assert str(caught.value).startswith(f"{path}: ")


def test_files_that_are_no_submission(tmp_path: Path) -> None:
    (tmp_path / "text.zip").write_text("a 0 1\n")
    _zip(tmp_path / "other.zip", "a 0 1\n", name="answers.txt")
    for name in ("text.zip", "other.zip", "none.zip"):
        with pytest.raises(DataError, match=rf"{name}: not a zip that holds answer\.txt"):
            validate_submission(tmp_path / name, np.array(["a"]), 2)
