"""Cutting the clips of one recording, which is decoded once."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from lilliput.data.surveillance.plan import ClipPlan, Square
from lilliput.errors import VideoError
from lilliput.video.decode import VideoReader
from lilliput.video.encode import VideoWriter

_LOSSLESS = 0


@dataclass(frozen=True)
class CutJob:
    """One recording to cut.

    Attributes:
        video: Its file.
        clips: What is cut, in the order of their first frames.
        files: Where each goes.
    """

    video: Path
    clips: Sequence[ClipPlan]
    files: Sequence[Path]


@dataclass(frozen=True)
class CutResult:
    """What came of it.

    Attributes:
        job: What was wanted.
        num_frames: The length of each clip's file; 0 where none was written.
        problem: Why clips are missing or shorter, in one line; None if all is well.
    """

    job: CutJob
    num_frames: Sequence[int]
    problem: str | None = None


@dataclass
class _Open:
    """A clip of which frames are still to come."""

    index: int
    plan: ClipPlan
    frames: list[np.ndarray] = field(default_factory=list)


def cut_recording(job: CutJob, min_frames: int) -> CutResult:
    """Writes the clips, without loss and with the recording's times.

    Frames are counted by their times, so that a lost one moves none of the others: the one before
    stands in for it. A clip that a gap or the end cuts short is kept from ``min_frames`` on.
    """
    lengths = [0] * len(job.clips)
    damage: str | None = None
    try:
        with VideoReader(job.video, full_size=True) as reader:
            for clip in _collect(reader, job.clips):
                if len(clip.frames) >= min(min_frames, clip.plan.num_frames):
                    _write(job.files[clip.index], clip.frames, reader.fps)
                    lengths[clip.index] = len(clip.frames)
            damage = f"{reader.path}: {reader.damage}" if reader.damage else None
    except VideoError as error:
        damage = str(error)
    pairs = list(zip(lengths, job.clips, strict=True))
    short = sum(length < plan.num_frames for length, plan in pairs)
    if not short:
        return CutResult(job, lengths, damage)
    lost = sum(not length for length in lengths)
    cause = damage or f"{job.video}: ends before its annotations do"
    return CutResult(
        job,
        lengths,
        f"{cause}; {lost} of its {len(pairs)} clips are missing, {short - lost} shorter",
    )


def _collect(reader: VideoReader, clips: Sequence[ClipPlan]) -> Iterator[_Open]:
    """Each clip as soon as it is complete, or no more frames come."""
    waiting = deque(_Open(index, plan) for index, plan in enumerate(clips))
    current: list[_Open] = []
    first: int | None = None
    for step, frame in reader.iter_steady(reader.fps):
        first = step if first is None else first
        number = step - first
        while waiting and waiting[0].plan.first_frame <= number:
            current.append(waiting.popleft())
        for clip in current:
            clip.frames.append(_crop(frame.to_rgb(), clip.plan.square, reader.path))
        yield from (clip for clip in current if clip.plan.last_frame <= number)
        current = [clip for clip in current if clip.plan.last_frame > number]
        if not waiting and not current:
            return
    yield from current


def _crop(picture: np.ndarray, square: Square, path: Path) -> np.ndarray:
    left, top, side = square
    part = picture[:, top : top + side, left : left + side].transpose(1, 2, 0)
    if part.shape[:2] != (side, side):
        raise VideoError(f"{path}: its frames are smaller than its header says; re-encode it")
    return part.copy()  # or the whole picture would be kept


def _write(path: Path, frames: Sequence[np.ndarray], fps: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    side = len(frames[0])
    with VideoWriter(path, (side, side), fps=fps, crf=_LOSSLESS) as video:
        for number, picture in enumerate(frames):
            video.add(picture, number / fps)
