"""What the readers share: finding lists and videos, and setting aside lines that make no sense."""

import csv
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from lilliput.data.clips import Clip
from lilliput.errors import DataError
from lilliput.video.decode import VIDEO_SUFFIXES

Row = TypeVar("Row")


def find_lists(root: Path, pattern: str) -> list[Path]:
    """The files of this name in a folder; where it has none, in the folders below it."""
    return sorted(root.glob(pattern)) or sorted(root.glob(f"*/{pattern}"))


def read_lines(path: Path) -> list[tuple[int, str]]:
    """The lines that hold something, each with its number.

    Raises:
        DataError: There are none, or it is no text.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not a text file ({error})") from None
    found = [(number, line.strip()) for number, line in enumerate(lines, 1) if line.strip()]
    if not found:
        raise DataError(f"{path}: is empty; download it again")
    return found


def read_table(
    path: Path, *, columns: tuple[str, ...] = (), delimiter: str = ","
) -> list[tuple[int, list[str]]]:
    """The rows of a CSV file, each with the number of its last line.

    Args:
        path: The file.
        columns: Names in its first row, which is left out; cells are brought into this order, a
            missing one is empty. Without names every row is data.
        delimiter: What stands between cells.

    Raises:
        DataError: There is no row, or it is no CSV text.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, delimiter=delimiter)
            rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: not a CSV text file ({error})") from None
    if columns and rows:
        header = rows.pop(0)[1]
        places = [header.index(name) if name in header else None for name in columns]
        rows = [
            (line, ["" if i is None or i >= len(row) else row[i] for i in places])
            for line, row in rows
        ]
    if not rows:
        raise DataError(f"{path}: is empty; download it again")
    return rows


def collect(
    path: Path,
    rows: Iterable[tuple[int, Row]],
    make: Callable[[Row], Iterable[Clip]],
    problems: list[str],
    *,
    unit: str = "line",
) -> list[Clip]:
    """Makes the clips of a list; rows that make no sense become problems that name file and line.

    Args:
        path: The list.
        rows: Its rows with their numbers.
        make: The clips of a row; none where it is left out on purpose.
        problems: Extended.
        unit: What the numbers count.
    """
    clips: list[Clip] = []
    seen: set[str] = set()
    for number, row in rows:
        try:
            made = list(make(row))
            if twice := next((clip.clip_id for clip in made if clip.clip_id in seen), None):
                raise DataError(f"{twice} is listed twice; remove one line")
        except DataError as error:
            problems.append(f"{path.name}: {unit} {number}: {error}")
            continue
        seen.update(clip.clip_id for clip in made)
        clips += made
    return clips


class VideoFiles:
    """The video files below a folder, by their names without suffix.

    Args:
        root: The folder; hidden ones below it are left out.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._paths: dict[str, list[Path]] = {}
        for path in sorted(_iter_videos(root)):
            self._paths.setdefault(path.stem, []).append(path)

    def find(self, stem: str, folder: str = "") -> Path | None:
        """A video of this name, rather in a folder of that name; None where there is none."""
        paths = self._paths.get(stem, [])
        return next((path for path in paths if path.parent.name == folder), next(iter(paths), None))

    def get(self, stem: str, folder: str = "") -> Path:
        """The same.

        Raises:
            DataError: There is none.
        """
        path = self.find(stem, folder)
        if path is None:
            raise DataError(f"no video '{stem}' is below {self.root}; add it, or remove the line")
        return path


def _iter_videos(root: Path) -> Iterator[Path]:
    for folder, below, names in os.walk(root):
        below[:] = [name for name in below if not name.startswith(".")]
        for name in names:
            path = Path(folder, name)
            if path.suffix.lower() in VIDEO_SUFFIXES and not name.startswith("."):
                yield path
