"""The clips that readers and input pipelines are measured on: the same for all."""

import csv
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.context import Context
from lilliput.data import Clip, read_dataset
from lilliput.data.packing import write_pack
from lilliput.data.synthetic.motion import FPS
from lilliput.data.synthetic.plan import plan_dataset
from lilliput.data.synthetic.render import render_clip
from lilliput.video.encode import write_video

_SIDES = (70, 16)  # px; TinyVIRAT's mean, and the size of far-infrared ceiling sensors


@dataclass(frozen=True)
class ClipSet:
    """Clips on disk, and the same ones packed.

    Attributes:
        name: In words.
        files: Clips read from files.
        packed: The same clips read from a pack.
        num_classes: K.
        root: The pack.
    """

    name: str
    files: tuple[Clip, ...]
    packed: tuple[Clip, ...]
    num_classes: int
    root: Path

    @property
    def paths(self) -> list[Path]:
        """Their files."""
        return [clip.path for clip in self.files]


def clip_sets(context: Context) -> list[ClipSet]:
    """The synthetic sets, and the one of ``--data``."""
    count = context.count(40, 8)
    sets = [synthetic_clips(context.folder, count, side) for side in _SIDES]
    if context.data is not None:
        sets.append(_pack(f"{context.data.name} (real)", context.data, context.folder, count))
    return sets


def synthetic_clips(folder: Path, count: int, side: int) -> ClipSet:
    """Renders clips of one native size, px, or takes those that lie there."""
    root = folder / f"synthetic{side}x{count}"
    manifest = root / "manifest.csv"
    if not manifest.is_file():
        root.mkdir(parents=True)
        plans = plan_dataset({"train": count, "val": 0, "test": 0}, seed=1)["train"]
        rows = []
        for plan in plans:
            frames = render_clip(replace(plan, size=side)).transpose(0, 2, 3, 1)
            name = f"{plan.number:04d}.mp4"
            write_video(root / name, frames, fps=FPS, crf=plan.recording.crf, preset="superfast")
            rows.append((name, plan.subject, "train", plan.recording.name))
        with manifest.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("path", "labels", "split", "group"), *rows])
    return _pack(f"synthetic, {side} px", manifest, folder, count)


def _pack(name: str, source: Path, folder: Path, count: int) -> ClipSet:
    dataset = read_dataset(source)
    few = replace(dataset, splits={"train": tuple(dataset.split("train")[:count])})
    root = folder / f"pack-{source.parent.name}-{source.stem}-{count}"
    write_pack(few, root)
    packed = read_dataset(root)
    clips, same = tuple(few.split("train")), tuple(packed.split("train"))
    return ClipSet(name, clips, same, len(dataset.labels), root)
