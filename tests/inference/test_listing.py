from pathlib import Path

from lilliput.inference.listing import find_videos


def test_folders_become_their_videos(tmp_path: Path) -> None:
    for name in ("b/x.mp4", "b/a.AVI", "b/deep/z.webm", "b/notes.txt", "c.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "b" / "folder.mp4").mkdir()
    (tmp_path / "empty").mkdir()
    given = [tmp_path / "c.txt", tmp_path / "b", tmp_path / "empty", tmp_path / "none.mp4"]
    found = [str(path.relative_to(tmp_path)) for path in find_videos(given)]
    assert found == ["c.txt", "b/a.AVI", "b/deep/z.webm", "b/x.mp4", "empty", "none.mp4"]
