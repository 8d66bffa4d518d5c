"""Low-resolution copies of data sets, as the literature makes them of UCF-101 and HMDB-51.

Every clip is decoded at its full size, made small and written again, with the times of its frames.
A clip appears whole or not at all, so a run that was stopped goes on where it was.
"""

import json
import os
import re
import zlib
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from lilliput.data.clips import Clip, VideoDataset
from lilliput.data.durable import whole_file, write_durably
from lilliput.data.manifest import manifest_name, write_manifest
from lilliput.errors import DataError, VideoError
from lilliput.video.decode import VideoReader
from lilliput.video.encode import VideoWriter
from lilliput.video.shrink import Shrink

SETTINGS, SKIPPED = "shrink.json", "skipped.txt"
_UNSAFE = re.compile(r'[\x00-\x1f<>:"|?*\\%]|^\.+|^$|[. ]$')


@dataclass(frozen=True)
class ShrunkSet:
    """What was written.

    Attributes:
        manifest: Which clips, of which splits and labels.
        num_clips: Clips in it.
        num_kept: Those of them that were there already.
        skipped: A line for each clip that cannot be read and entry that makes no sense.
        damaged: A line for each clip written now that ends early, as its original does.
    """

    manifest: Path
    num_clips: int
    num_kept: int
    skipped: tuple[str, ...]
    damaged: tuple[str, ...]


@dataclass(frozen=True)
class _Written:
    clip: Clip
    is_kept: bool = False
    skipped: str | None = None
    damaged: str | None = None


def shrink_dataset(
    dataset: VideoDataset,
    out: Path,
    shrink: Shrink,
    *,
    crf: int | None = None,
    seed: int = 1,
    split_number: int | None = None,
    workers: int | None = None,
    on_clip: Callable[[], None] = lambda: None,
) -> ShrunkSet:
    """Writes small copies of all clips, and a manifest with the same splits, labels and groups.

    Args:
        dataset: Read from files, not from a pack.
        out: A folder that does not exist yet, is empty, or holds such a copy made in the same way.
        shrink: What is done to pictures.
        crf: Coarseness of H.264 in 4:2:0, as a camera writes it; None is lossless. Where the shape
            of a clip gives an odd side, its last row or column is repeated once.
        seed: Of the noise; that of a clip depends on its name, not on the others.
        split_number: Official split that ``dataset`` is; its manifest gets a name of its own, and
            clips that several splits have are written once.
        workers: Threads; None takes one for each processor.
        on_clip: Called after each clip.

    Raises:
        DataError: ``out`` holds something else, not one clip can be read, or ``crf`` is given
            with an odd side.
        OSError: The disk is full, or may not be written.
    """
    if any(clip.packed for clips in dataset.splits.values() for clip in clips):
        raise DataError(f"{dataset.root}: is a pack; give the files that it was made from")
    sides = (shrink.side,) if isinstance(shrink.side, int) else shrink.side
    if crf is not None and any(side % 2 for side in sides):
        raise DataError(
            "compressed videos have even sides; give --side even ones, or leave out --crf"
        )
    _claim(out, _settings(dataset, shrink, crf, seed, split_number))
    make = partial(_write, shrink=shrink, crf=crf, seed=seed)
    names = _file_names(dataset)
    written: dict[str, list[_Written]] = {}
    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        for split, clips in dataset.splits.items():
            files = [out / "videos" / f"{names[split, clip.clip_id]}.mp4" for clip in clips]
            written[split] = []
            for result in pool.map(make, clips, files):
                written[split].append(result)
                on_clip()
    return _finish(dataset, out, split_number, written)


def _finish(
    dataset: VideoDataset, out: Path, split_number: int | None, written: dict[str, list[_Written]]
) -> ShrunkSet:
    everything = [item for items in written.values() for item in items]
    skipped = (*dataset.problems, *(item.skipped for item in everything if item.skipped))
    good = [item for item in everything if not item.skipped]
    write_durably(out / SKIPPED, "".join(f"{line}\n" for line in skipped).encode())
    if not good:
        raise DataError(f"{dataset.root}: not one clip can be read; see {out / SKIPPED}")
    splits = {
        split: [item.clip for item in items if not item.skipped] for split, items in written.items()
    }
    manifest = out / manifest_name(split_number)
    with whole_file(manifest) as unfinished:
        write_manifest(unfinished, replace(dataset, splits=splits, problems=()))
    return ShrunkSet(
        manifest,
        len(good),
        sum(item.is_kept for item in good),
        skipped,
        tuple(item.damaged for item in good if item.damaged),
    )


def _write(clip: Clip, file: Path, *, shrink: Shrink, crf: int | None, seed: int) -> _Written:
    copy = replace(clip, path=file, part=None)
    if file.is_file():
        return _Written(copy, is_kept=True)
    rng = np.random.default_rng([seed, zlib.crc32(file.name.encode())])
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with VideoReader(clip.path, clip.part, full_size=True) as reader:
            frames = reader.iter_lazy()
            first = next(frames)
            height, width = shrink.size(*first.to_rgb().shape[1:])
            with (
                whole_file(file) as unfinished,
                VideoWriter(unfinished, (width, height), fps=reader.fps, crf=crf) as writer,
            ):
                writer.add(shrink(first.to_rgb(), rng), 0.0)
                for frame in frames:
                    writer.add(shrink(frame.to_rgb(), rng), frame.seconds - first.seconds)
    except VideoError as error:
        return _Written(copy, skipped=str(error))
    return _Written(copy, damaged=reader.damage and f"{clip.path}: {reader.damage}")


def _file_names(dataset: VideoDataset) -> dict[tuple[str, str], str]:
    """Of each split's clips, without suffix; the split is part of it where ids are not unique."""
    counts = Counter(clip.clip_id for clips in dataset.splits.values() for clip in clips)
    shared = any(count > 1 for count in counts.values())
    return {
        (split, clip.clip_id): _safe(f"{split}/{clip.clip_id}" if shared else clip.clip_id)
        for split, clips in dataset.splits.items()
        for clip in clips
    }


def _safe(name: str) -> str:
    """A path that lies below its folder on every system; different names stay different."""
    parts = (
        _UNSAFE.sub(lambda found: "".join(f"%{ord(c):02X}" for c in found[0]) or "%", part)
        for part in name.split("/")
    )
    return "/".join(parts)


def _settings(
    dataset: VideoDataset, shrink: Shrink, crf: int | None, seed: int, split_number: int | None
) -> dict[str, Any]:
    root = str(dataset.root.absolute())
    root = root if split_number is None else root.removesuffix(f"@{split_number}")
    codec = "H.264 RGB, lossless" if crf is None else "H.264 4:2:0"
    return {"source": root, **asdict(shrink), "codec": codec, "crf": crf, "seed": seed}


def _claim(out: Path, settings: dict[str, Any]) -> None:
    """Marks the folder as a copy that is made in this way.

    Raises:
        DataError: It is something else.
    """
    content = json.dumps(settings, indent=1).encode() + b"\n"
    path = out / SETTINGS
    if path.is_file():
        if path.read_bytes() != content:
            raise DataError(
                f"{path}: says that other clips or settings made it; give another --out"
            )
    elif out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DataError(f"{out}: holds something else; give another --out")
    else:
        out.mkdir(parents=True, exist_ok=True)
        write_durably(path, content)
