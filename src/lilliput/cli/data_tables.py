"""The tables that ``lilliput data`` prints."""

from rich.markup import escape
from rich.table import Table

from lilliput.data.clips import VideoDataset, targets_matrix
from lilliput.data.describe import RESOLUTION_GROUPS, Description


def split_table(description: Description) -> Table:
    """Clips, frames and labels of each split, as in table 4.1."""
    table = _table("split", "clips", "readable", "frames (min–max)", "sides, px")
    table.add_column("multi-label", justify="right")
    table.add_column("labels per clip", justify="right")
    for name, split in description.splits.items():
        mean, least, most = split.frames
        low, high = split.sides_px
        withheld = split.labels_per_clip is None
        table.add_row(
            escape(name),
            str(split.clips),
            str(split.readable),
            f"{mean:.2f} ({least}–{most})",
            f"{low}–{high}",
            "withheld" if withheld else "yes" if split.multi_label else "no",
            "" if withheld else f"{split.labels_per_clip:.2f}",
        )
    return table


def class_table(description: Description) -> Table:
    """Clips of each class in each labelled split, as in table 4.2."""
    counts = {
        name: split.clips_per_class
        for name, split in description.splits.items()
        if split.clips_per_class is not None
    }
    table = _table("class", *counts)
    for label, class_name in enumerate(description.class_names):
        table.add_row(escape(class_name), *(str(values[label]) for values in counts.values()))
    return table


def resolution_table(description: Description) -> Table:
    """Clips of each class by short side, all labelled splits, as in figure 4.5."""
    table = _table("class \\ short side, px", *RESOLUTION_GROUPS)
    tables = [
        split.class_resolutions
        for split in description.splits.values()
        if split.class_resolutions is not None
    ]
    for label, class_name in enumerate(description.class_names):
        cells = [sum(column) for column in zip(*(rows[label] for rows in tables), strict=True)]
        table.add_row(escape(class_name), *map(str, cells))
    groups = zip(*(s.clips_per_resolution for s in description.splits.values()), strict=True)
    table.add_section()
    table.add_row("all clips, labelled or not", *(str(sum(group)) for group in groups))
    return table


def new_split_table(dataset: VideoDataset) -> Table:
    """Clips of each class in the new training and validation split."""
    table = _table("class", "train", "val", "held out")
    columns = [
        targets_matrix(dataset.splits[name], len(dataset.labels)).sum(axis=0).tolist()
        for name in ("train", "val")
    ]
    for name, train, val in zip(dataset.labels.class_names, *columns, strict=True):
        table.add_row(escape(name), str(train), str(val), f"{val / max(1, train + val):.0%}")
    train, val = (len(dataset.splits[name]) for name in ("train", "val"))
    table.add_section()
    table.add_row("clips", str(train), str(val), f"{val / max(1, train + val):.0%}")
    return table


def _table(first: str, *numbers: str) -> Table:
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column(first)
    for name in numbers:
        table.add_column(escape(name), justify="right")
    return table
