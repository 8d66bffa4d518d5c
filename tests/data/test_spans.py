import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lilliput.data.spans import ActionSpan, find_recordings, read_spans, write_spans
from lilliput.errors import DataError

HEADER = "recording,start_frame,end_frame,action\n"
names = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=8)
spans = st.builds(
    lambda start, length, action: ActionSpan(start, start + length, action),
    st.integers(0, 10**6),
    st.integers(0, 1000),
    names,
)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.dictionaries(names, st.lists(spans, min_size=1, max_size=4), max_size=4))
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, found) -> None:
    path = tmp_path_factory.getbasetemp() / "round_trip.csv"
    write_spans(path, found)
    assert read_spans(path) == found
    assert path.read_text(encoding="utf-8").startswith(HEADER)


def test_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    text = (
        "\ufeffaction,recording,end_frame,start_frame,note\nsit,b,9,3,x\nrun,a,0,0,\nrun,b,5,5,y\n"
    )
    path.write_text(text, encoding="utf-8")
    assert read_spans(path) == {
        "b": [ActionSpan(3, 9, "sit"), ActionSpan(5, 5, "run")],
        "a": [ActionSpan(0, 0, "run")],
    }


@pytest.mark.parametrize(
    "row", ["a,x,3,sit", "a,1.5,3,sit", "a,4,3,sit", "a,-1,3,sit", "a,1,3,", "a,1", "a,1,,sit"]
)
def test_a_bad_row_is_named(tmp_path: Path, row: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"{HEADER}a,1,3,sit\n{row}\n")
    with pytest.raises(DataError, match=f"^{re.escape(str(path))}: line 3: ") as error:
        read_spans(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"recording,start_frame,action\n", "lacks the column 'end_frame'"),
        (b"", "lacks the column 'action'"),
        (b"\xff\xfe\x00", "not a CSV text file"),
        (None, "cannot be read"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "a.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=f"^{re.escape(str(path))}: {message}") as error:
        read_spans(path)
    assert "\n" not in str(error.value)


def test_recordings_are_found_by_name(tmp_path: Path) -> None:
    for name in ("a.mp4", "b.AVI", "c.txt", "d e.mkv"):
        (tmp_path / name).touch()
    found = find_recordings(tmp_path, iter(["d e", "a", "b"]))
    assert list(found.items()) == [
        ("d e", tmp_path / "d e.mkv"),
        ("a", tmp_path / "a.mp4"),
        ("b", tmp_path / "b.AVI"),
    ]
    for name in ("c", "x"):
        with pytest.raises(DataError, match=f"no video of recording '{name}'"):
            find_recordings(tmp_path, ["a", name])
    with pytest.raises(DataError, match="no video"):
        find_recordings(tmp_path / "none", ["a"])
