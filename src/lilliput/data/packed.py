"""A pack: a data set decoded once, at native size, from which training reads at memory speed.

::

    pack.json     format, version, and how long frames.bin and what digest index.json must have
    index.json    layout, classes, flip pairs, problems, splits and their clips
    frames.bin    every frame of every clip, uint8, one clip after the other

``packing.py`` writes it. Clips that cannot be read are listed with their reason, so that
training skips, counts and lists them as it does with files.
"""

import hashlib
from pathlib import Path
from typing import Any

from lilliput.data.clips import Clip, VideoDataset
from lilliput.data.frames import PackedClip, PackedFrames, PackFile
from lilliput.data.labels import LabelSet
from lilliput.errors import DataError
from lilliput.reading import parse_json
from lilliput.video.decode import VideoInfo
from lilliput.video.part import Part

FORMAT, VERSION = "lilliput-pack", 1
HEADER, INDEX, PIXELS = "pack.json", "index.json", "frames.bin"
_REMEDY = "run `lilliput data pack` again"


def is_pack(root: Path) -> bool:
    """Whether ``root`` is a pack; one that was not finished has no header."""
    return (root / HEADER).is_file()


def read_pack(root: Path) -> VideoDataset:
    """Opens a pack: checks version, index and length, but not the frames (``data check`` does).

    Raises:
        DataError: It is damaged, or of another version.
    """
    header = read_header(root)
    index = root / INDEX
    content = index.read_bytes() if index.is_file() else b""
    if hashlib.sha256(content).hexdigest() != header["index_digest"]:
        raise DataError(f"{index}: missing or damaged; {_REMEDY}")
    file = PackFile(root / PIXELS, header["num_bytes"])
    facts = parse_json(content)
    return VideoDataset(
        root,
        facts["layout"],
        LabelSet(tuple(facts["class_names"]), tuple(map(tuple, facts["flip_pairs"]))),
        {
            split: [_read_clip(entry, file) for entry in entries]
            for split, entries in facts["splits"].items()
        },
        tuple(facts["problems"]),
    )


def read_header(root: Path) -> dict[str, Any]:
    """What ``pack.json`` says.

    Raises:
        DataError: It is damaged, of another program or of another version.
    """
    path = root / HEADER
    try:
        header = parse_json(path.read_text(encoding="utf-8"))
    except ValueError:
        raise DataError(f"{path}: damaged; {_REMEDY}") from None
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise DataError(f"{path}: is no pack of Lilliput; give another folder, or {_REMEDY}")
    if header.get("version") != VERSION:
        raise DataError(
            f"{path}: has pack version {header.get('version')}, this Lilliput reads {VERSION}; "
            f"{_REMEDY}, or install the Lilliput that wrote it"
        )
    if not {"index_digest", "num_bytes", "source"} <= header.keys():
        raise DataError(f"{path}: damaged; {_REMEDY}")
    return header


def _read_clip(entry: dict[str, Any], file: PackFile) -> Clip:
    frames, info, labels = entry["frames"], entry["info"], entry["labels"]
    part = entry.get("part")  # packs made before there were parts have none
    packed = PackedClip(
        frames=frames
        and PackedFrames(
            file, frames["offset"], tuple(frames["shape"]), frames["digest"], frames["damage"]
        ),
        info=info and VideoInfo(**info),
        error=entry["error"],
        fault=entry["fault"],
        file_digest=entry["file_digest"],
    )
    return Clip(
        entry["id"],
        Path(entry["path"]),
        None if labels is None else tuple(labels),
        entry["recording"],
        packed,
        part and Part(part["start_seconds"], part["end_seconds"], tuple(part["box"])),
    )
