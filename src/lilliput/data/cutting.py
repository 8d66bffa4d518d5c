"""Training clips cut from annotated recordings, for models that watch untrimmed footage.

A clip carries the actions that are under way in its middle, so a model trained on such clips
says what happens at an instant, seen in what comes before and after it. Clips without an action
are kept: they teach what nothing looks like.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lilliput.data.clips import Clip, VideoDataset
from lilliput.data.labels import LabelSet
from lilliput.data.manifest import write_manifest
from lilliput.data.spans import ActionSpan, write_spans
from lilliput.errors import DataError
from lilliput.video.decode import decode_video
from lilliput.video.encode import write_video

_LOSSLESS = 0


@dataclass(frozen=True)
class CutWindows:
    """Which clips are cut from a recording.

    Attributes:
        window_seconds: Length of a clip; shorter where the recording begins and ends.
        hop_seconds: From one clip's middle to the next one's.
        stretch: Training clips are up to this many times longer or shorter, at random, so that
            quick and slow people look alike to a model that sees segments.
    """

    window_seconds: float
    hop_seconds: float
    stretch: float = 1.0

    def draw_seconds(self, rng: random.Random) -> float:
        """The length of one clip."""
        factor: float = self.stretch ** rng.uniform(-1, 1)
        return self.window_seconds * factor


def hold_out(names: Sequence[str], *, fraction: float, seed: int) -> dict[str, list[str]]:
    """Divides recordings into ``train`` and, of about ``fraction``, ``val``; at random.

    Raises:
        DataError: There are fewer than two.
    """
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
        file = folder / f"{middle:06d}.mp4"
        write_video(file, frames[max(0, start) : start + length], fps=video.fps, crf=_LOSSLESS)
        actions = {s.action for s in spans if s.start_frame <= middle <= s.end_frame}
        indices = tuple(sorted(labels.index(action) for action in actions))
        clips.append(Clip(f"{recording}/{middle:06d}", file, indices, recording))
    return clips
