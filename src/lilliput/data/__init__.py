"""Labelled clips: readers for the layouts people have, and the data sets that training reads."""

from pathlib import Path

from lilliput.data.clips import Clip, VideoDataset, targets_matrix
from lilliput.data.folder import read_folder
from lilliput.data.labels import LabelSet
from lilliput.data.manifest import read_manifest
from lilliput.data.packed import is_pack, read_pack
from lilliput.data.tinyvirat import is_tinyvirat, read_tinyvirat
from lilliput.errors import DataError

__all__ = ["Clip", "LabelSet", "VideoDataset", "read_dataset", "targets_matrix"]


def read_dataset(root: Path | str, *, strict: bool = True) -> VideoDataset:
    """Reads TinyVIRAT v1 or v2, a folder per class, a CSV manifest or a pack of one of them.

    Args:
        root: The data set's folder, or the manifest.
        strict: Refuse a data set with entries that make no sense; ``data check`` lists them.

    Raises:
        DataError: Nothing readable is there.
    """
    root = Path(root)
    if not root.exists():
        raise DataError(f"{root}: no such data set; check the path")
    if root.is_file():
        if root.suffix.lower() != ".csv":
            raise DataError(f"{root}: a data set is a folder or a .csv manifest")
        dataset = read_manifest(root)
    elif is_pack(root):
        dataset = read_pack(root)
    else:
        dataset = read_tinyvirat(root) if is_tinyvirat(root) else read_folder(root)
    if strict and dataset.problems:
        more = f" (and {len(dataset.problems) - 1} more)" if len(dataset.problems) > 1 else ""
        raise DataError(f"{root}: {dataset.problems[0]}{more}; `lilliput data check` lists all")
    return dataset
