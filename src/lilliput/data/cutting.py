"""Training clips cut from annotated recordings.

For models that watch untrimmed footage a clip carries the actions that are under way in its
middle: they say what happens at an instant, seen in what comes before and after it. Clips without
an action are kept, as they teach what nothing looks like. For models of clips, such as TinyVIRAT's,
a clip carries the actions that fill a good part of it, or of which it holds a good part, and there
are none without; windows that overlap give more clips than a data set has.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from lilliput.data.clips import Clip, VideoDataset
from lilliput.data.labels import LabelSet
from lilliput.data.manifest import write_manifest
from lilliput.data.spans import ActionSpan, write_spans
from lilliput.errors import DataError
from lilliput.video.decode import decode_video
from lilliput.video.encode import write_video

LabelRule = Literal["middle", "inside"]
_LOSSLESS = 0
_SHARE_OF_CLIP = 0.25


@dataclass(frozen=True)
class CutWindows:
    """Which clips are cut from a recording.

    Attributes:
        window_seconds: Length of a clip; shorter where the recording begins and ends.
        hop_seconds: From one clip's middle to the next one's.
        stretch: Training clips are up to this many times longer or shorter, at random, so that
            quick and slow people look alike to a model that sees segments.
        rule: Which actions a clip is labeled with: those under way in its ``"middle"``, or those
            that lie ``"inside"`` it, by a quarter of the clip or half of the action.
    """

    window_seconds: float
    hop_seconds: float
    stretch: float = 1.0
    rule: LabelRule = "middle"

    def draw_seconds(self, rng: random.Random) -> float:
        """The length of one clip."""
        factor: float = self.stretch ** rng.uniform(-1, 1)
        return self.window_seconds * factor

    def holds(self, span: ActionSpan, first: int, last: int, middle: int) -> bool:
        """Whether a clip from frame ``first`` to frame ``last`` has this action's label."""
        if self.rule == "middle":
            return span.start_frame <= middle <= span.end_frame
        return lies_inside(span.start_frame, span.end_frame, first, last)


def lies_inside(start: int, end: int, first: int, last: int) -> bool:
    """Whether an action fills a quarter of a clip, or half of the action lies in it.

    Args:
        start: First frame of the action.
        end: Its last one.
        first: First frame of the clip.
        last: Its last one.
    """
    inside = min(end, last) - max(start, first) + 1
    return inside > 0 and (
        inside >= _SHARE_OF_CLIP * (last - first + 1) or 2 * inside >= end - start + 1
    )


def hold_out(names: Sequence[str], *, fraction: float, seed: int) -> dict[str, list[str]]:
    """Divides recordings into ``train`` and, of about ``fraction``, ``val``; at random.

    A fraction of 0 holds nothing out.

    Raises:
        DataError: There are fewer than two, and one is to be held out.
    """
    if fraction == 0:
        return {"train": list(names)}
    if len(names) < 2:
        raise DataError(f"{len(names)} recording; to hold one out there must be two or more")
    count = min(max(1, round(fraction * len(names))), len(names) - 1)
    val = sorted(random.Random(seed).sample(sorted(names), count))
    return {"train": [name for name in names if name not in val], "val": val}


def cut_recordings(
    recordings: Mapping[str, Mapping[str, Path]],
    spans: Mapping[str, Sequence[ActionSpan]],
    out: Path,
    *,
    labels: LabelSet,
    windows: CutWindows,
    progress: Callable[[], None] = lambda: None,
) -> Path:
    """Writes the clips and their manifest.

    Args:
        recordings: The files of each split's recordings, by name.
        spans: The actions of each recording; one that is absent has none.
        out: A folder that does not exist yet, or is empty.
        labels: The classes, in the order of the model's outputs.
        windows: What is cut.
        progress: Called after every recording.

    The actions of the recordings in ``val`` are written beside it, as ``val_actions.csv``: what
    ``lilliput tune-events`` asks for.

    Returns:
        The manifest, which ``lilliput train`` reads.

    Raises:
        DataError: ``out`` holds something, or an action is no known class.
        VideoError: A recording cannot be read.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DataError(f"{out}: holds something already; give a new folder")
    splits: dict[str, list[Clip]] = {}
    for split, files in recordings.items():
        splits[split] = clips = []
        for name, path in files.items():
            chosen = windows if split == "train" else replace(windows, stretch=1.0)
            clips += _cut(path, name, spans.get(name, ()), out / split / name, labels, chosen)
            progress()
    manifest = out / "manifest.csv"
    write_manifest(manifest, VideoDataset(out, "recordings", labels, splits))
    held_out = {name: spans.get(name, ()) for name in recordings.get("val", ())}
    write_spans(out / "val_actions.csv", held_out)
    return manifest


def _cut(
    path: Path,
    recording: str,
    spans: Sequence[ActionSpan],
    folder: Path,
    labels: LabelSet,
    windows: CutWindows,
) -> list[Clip]:
    video = decode_video(path)
    frames = video[:].permute(0, 2, 3, 1).numpy()
    rng = random.Random(recording)
    folder.mkdir(parents=True)
    clips = []
    for middle in range(0, len(frames), max(1, round(windows.hop_seconds * video.fps))):
        length = max(1, round(windows.draw_seconds(rng) * video.fps))
        start = middle - length // 2
        first, last = max(0, start), min(start + length, len(frames)) - 1
        file = folder / f"{middle:06d}.mp4"
        actions = {span.action for span in spans if windows.holds(span, first, last, middle)}
        if windows.rule == "inside" and not actions:
            continue
        write_video(file, frames[first : last + 1], fps=video.fps, crf=_LOSSLESS)
        indices = tuple(sorted(labels.index(action) for action in actions))
        clips.append(Clip(f"{recording}/{middle:06d}", file, indices, recording))
    return clips
