"""Writes packs (``packed.py``): decodes a data set once.

Everything goes into a hidden folder beside the pack and is verified there, before the folder
takes the pack's name (``durable.py``).
"""

import hashlib
import json
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from lilliput.data.check import digest_of_clip, fault_of
from lilliput.data.clips import Clip, VideoDataset
from lilliput.data.durable import whole_folder, write_durably
from lilliput.data.frames import digest_of, drop_equal_channels
from lilliput.data.packed import (
    FORMAT,
    HEADER,
    INDEX,
    PIXELS,
    VERSION,
    is_pack,
    read_header,
    read_pack,
)
from lilliput.errors import DataError, VideoError
from lilliput.video.decode import decode_video

_THREADS = min(8, os.cpu_count() or 1)


@dataclass(frozen=True)
class _Decoded:
    """One clip in memory, on its way into the pack: its index entry and its (T, C, H, W) pixels."""

    entry: dict[str, Any]
    pixels: np.ndarray | None


def write_pack(
    dataset: VideoDataset,
    root: Path,
    *,
    replace: bool = False,
    on_clip: Callable[[], None] = lambda: None,
) -> bool:
    """Packs a data set into the folder ``root``; a pack of the same files is kept.

    Args:
        dataset: What to pack, read from files.
        root: A folder that does not exist yet, is empty, or is a pack.
        replace: Write anew even where a pack lies.
        on_clip: Called twice for each clip: when it is written and when it is verified.

    Returns:
        Whether it was written; False means that the pack which lies there was kept.

    Raises:
        DataError: ``root`` holds something else or a pack of other files, or the disk returned
            other bytes than were written.
    """
    if any(clip.packed for clips in dataset.splits.values() for clip in clips):
        raise DataError(f"{dataset.root}: is a pack already; give the files that it was made from")
    _check_place(root)
    source = _digest_of_source(dataset)
    if not replace and is_pack(root):
        if read_header(root)["source"] != source:
            raise DataError(
                f"{root}: packs other clips, or files that changed since; --replace writes it anew"
            )
        read_pack(root)
        return False
    with whole_folder(root) as folder:
        _write_all(dataset, folder, source, on_clip)
        _verify(folder, on_clip)
    return True


def _check_place(root: Path) -> None:
    """What is no pack is never replaced, whatever the user says."""
    names = {path.name for path in root.iterdir()} if root.is_dir() else set()
    ours = not names or (HEADER in names and names <= {HEADER, INDEX, PIXELS})
    if root.exists() and not (root.is_dir() and ours):
        raise DataError(f"{root}: holds something else; remove it or give another --out")


def _digest_of_source(dataset: VideoDataset) -> str:
    """Changes whenever a clip, its labels or its file do; reads no file."""
    entries: list[Any] = [
        dataset.layout,
        dataset.labels.class_names,
        dataset.labels.flip_pairs,
        dataset.problems,
    ]
    for split, clips in dataset.splits.items():
        for clip in clips:
            found = clip.path.stat() if clip.path.is_file() else None
            state = found and (found.st_size, found.st_mtime_ns)
            path = str(clip.path.absolute())
            part = () if clip.part is None else (astuple(clip.part),)
            entries.append((split, clip.clip_id, path, clip.labels, clip.recording, state, *part))
    return hashlib.sha256(json.dumps(entries).encode()).hexdigest()


def _write_all(
    dataset: VideoDataset, folder: Path, source: str, on_clip: Callable[[], None]
) -> None:
    with (folder / PIXELS).open("wb") as file:
        splits = {
            split: _write_frames(clips, file, on_clip) for split, clips in dataset.splits.items()
        }
        num_bytes = file.tell()
        file.flush()
        os.fsync(file.fileno())
    facts = {
        "layout": dataset.layout,
        "class_names": dataset.labels.class_names,
        "flip_pairs": dataset.labels.flip_pairs,
        "problems": dataset.problems,
        "splits": splits,
    }
    index = json.dumps(facts).encode()  # ASCII: a file's name may be no valid Unicode
    write_durably(folder / INDEX, index)
    header = {
        "format": FORMAT,
        "version": VERSION,
        "index_digest": hashlib.sha256(index).hexdigest(),
        "num_bytes": num_bytes,
        "source": source,
    }
    # Last, because it makes the folder a pack.
    write_durably(folder / HEADER, json.dumps(header, indent=1).encode())


def _write_frames(
    clips: Sequence[Clip], file: BinaryIO, on_clip: Callable[[], None]
) -> list[dict[str, Any]]:
    entries = []
    for decoded in _decode_in_order(clips):
        entry = decoded.entry
        if decoded.pixels is not None:
            entry["frames"]["offset"] = file.tell()
            file.write(decoded.pixels.data)
        entries.append(entry)
        on_clip()
    return entries


def _decode_in_order(clips: Sequence[Clip]) -> Iterator[_Decoded]:
    """Decodes in threads; at most two clips per thread are in memory."""
    waiting: deque[Future[_Decoded]] = deque()
    with ThreadPoolExecutor(_THREADS) as pool:
        for clip in clips:
            waiting.append(pool.submit(_decode, clip))
            if len(waiting) == 2 * _THREADS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _decode(clip: Clip) -> _Decoded:
    entry: dict[str, Any] = {
        "id": clip.clip_id,
        "path": str(clip.path.absolute()),
        "labels": clip.labels,
        "recording": clip.recording,
        "part": clip.part and asdict(clip.part),
        **dict.fromkeys(("info", "frames", "error", "fault", "file_digest")),
    }
    try:
        entry["info"] = asdict(clip.probe())
        video = decode_video(clip.path, clip.part)
        pixels = drop_equal_channels(video[:].numpy())
        entry["file_digest"] = digest_of_clip(clip)
    except (VideoError, OSError) as error:
        return _Decoded({**entry, "error": str(error), "fault": fault_of(clip.path)}, None)
    entry["frames"] = {
        "shape": pixels.shape,
        "digest": digest_of(pixels),
        "damage": video.damage,
    }
    return _Decoded(entry, pixels)


def _verify(folder: Path, on_clip: Callable[[], None]) -> None:
    """Reads everything back, from the disk wherever the system can be told to."""
    if hasattr(os, "posix_fadvise"):
        with (folder / PIXELS).open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    for clips in read_pack(folder).splits.values():
        for clip in clips:
            frames = None if clip.packed is None else clip.packed.frames
            if frames is not None and not frames.is_intact:
                raise DataError(f"{folder}: the disk returned other bytes than were written")
            on_clip()
