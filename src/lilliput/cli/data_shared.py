"""What the ``lilliput data`` commands share: their argument, their progress bar, their folders."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress

if TYPE_CHECKING:
    from lilliput.data import VideoDataset

Root = Annotated[
    Path,
    typer.Argument(
        help="A published data set's folder, such as UCF-101's, a folder per class, a CSV "
        "manifest, or a pack. UCF-101@2 is its second official split.",
        metavar="ROOT",
    ),
]


class GroupBy(StrEnum):
    """What must not be in training and validation at once."""

    RECORDING = "recording"
    CAMERA = "camera"


@contextmanager
def show_progress(
    dataset: "VideoDataset", title: str, *, passes: int = 1
) -> Iterator[Callable[[], None]]:
    """A bar over all clips; call what it yields once for each clip and pass."""
    total = passes * sum(map(len, dataset.splits.values()))
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda: bar.advance(task)


def folder_of(out: Path | None, command: str, dataset: "VideoDataset") -> Path:
    """The folder that was asked for, or ``runs/<command>/<name of the data set>``."""
    root = dataset.root.resolve()
    name = root.parent.name if root.is_file() else root.name  # a manifest: the folder it lies in
    return out or Path("runs") / command / name
