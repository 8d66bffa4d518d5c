"""Labelled clips: readers for the layouts people have, and the data sets that training reads."""

import re
from dataclasses import replace
from pathlib import Path

from lilliput.data.clips import Clip, VideoDataset, targets_matrix
from lilliput.data.folder import read_folder
from lilliput.data.labels import LabelSet
from lilliput.data.manifest import manifest_name, read_manifest
from lilliput.data.official import is_official, read_official
from lilliput.data.packed import is_pack, read_pack
from lilliput.data.tinyvirat import is_tinyvirat, read_tinyvirat
from lilliput.errors import DataError

__all__ = ["Clip", "LabelSet", "VideoDataset", "read_dataset", "split_number_of", "targets_matrix"]


def read_dataset(root: Path | str, *, strict: bool = True) -> VideoDataset:
    """Reads a data set by the layout that is found there.

    TinyVIRAT v1 or v2, the official files of UCF-101, HMDB-51, Kinetics, Something-Something, AVA
    and Charades, a folder per class, a CSV manifest or a folder with one, or a pack.

    Args:
        root: The data set's folder, or the manifest. ``UCF-101@2`` is the second official split of
            the data set in ``UCF-101``; without a number it is the first.
        strict: Refuse a data set with entries that make no sense; ``data check`` lists them.

    Raises:
        DataError: Nothing readable is there.
    """
    root = Path(root)
    folder, split_number = split_number_of(root)
    if not folder.exists():
        raise DataError(f"{root}: no such data set; check the path")
    dataset = replace(_read(folder, split_number), root=root)
    if strict and dataset.problems:
        more = f" (and {len(dataset.problems) - 1} more)" if len(dataset.problems) > 1 else ""
        raise DataError(f"{root}: {dataset.problems[0]}{more}; `lilliput data check` lists all")
    return dataset


def split_number_of(root: Path) -> tuple[Path, int | None]:
    """``UCF-101@2`` is the folder ``UCF-101`` and split 2, if no file has that whole name."""
    match = re.fullmatch(r"(.+)@([1-9]\d?)", root.name)
    if match is None or root.exists():
        return root, None
    return root.with_name(match[1]), int(match[2])


def _read(root: Path, split_number: int | None) -> VideoDataset:
    if root.is_file():
        if root.suffix.lower() != ".csv":
            raise DataError(f"{root}: a data set is a folder or a .csv manifest")
        return read_manifest(root)
    manifest = root / manifest_name(split_number)
    if manifest.is_file():
        return read_manifest(manifest)
    if is_pack(root):
        return read_pack(root)
    if is_tinyvirat(root):
        return read_tinyvirat(root)
    if is_official(root):
        return read_official(root, split_number)
    if split_number is not None:
        raise DataError(f"{root}: has no split @{split_number}; leave that out, or add the split")
    return read_folder(root)
