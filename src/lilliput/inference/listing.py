"""Which files a job is about."""

from collections.abc import Iterable
from pathlib import Path

from lilliput.video.decode import VIDEO_SUFFIXES


def find_videos(paths: Iterable[Path]) -> list[Path]:
    """Files as they are given; folders become the videos below them, sorted.

    A folder without videos stays in the list, and fails there as an unreadable video.
    """
    found: list[Path] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        inside = (p for p in path.rglob("*") if p.suffix.lower() in VIDEO_SUFFIXES)
        found += sorted(p for p in inside if not p.is_dir()) or [path]
    return found
