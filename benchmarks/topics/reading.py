"""Reading the frames of a segment sample: from our pack and files, and by decoders."""

import cv2
import numpy as np
import torch

from benchmarks.clips import ClipSet, clip_sets
from benchmarks.context import Context
from benchmarks.readers import NUM_FRAMES, PEERS, read_ours
from benchmarks.tables import Claim, Table, make_rows
from benchmarks.timing import interleave

PACK, FILES = "Lilliput, pack", "Lilliput, files"


def run(context: Context) -> list[Table]:
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    return [_compare(context, clips) for clips in clip_sets(context)]


def _compare(context: Context, clips: ClipSet) -> Table:
    cases = {
        PACK: lambda: [read_ours(clip, np.random.default_rng(0)) for clip in clips.packed],
        FILES: lambda: [read_ours(clip, np.random.default_rng(0)) for clip in clips.files],
    }
    for name, read in PEERS.items():
        cases[name] = lambda read=read: [
            read(path, np.random.default_rng(0)) for path in clips.paths
        ]
    results = interleave(cases, budget_seconds=context.seconds(20))
    frames = np.mean([len(clip.read()) for clip in clips.packed])
    return Table(
        f"Reading {NUM_FRAMES} frames, {clips.name}",
        f"The same {NUM_FRAMES} frames, one of each segment, of {len(clips.files)} clips of "
        f"{frames:.0f} frames on average, as uint8 RGB tensors; one process, one thread, files "
        "and pack in the page cache.",
        "ms a clip",
        make_rows(results, ours={PACK, FILES}, scale=1000 / len(clips.files)),
        claims=(Claim(f"Pack at least 10× the fastest decoder ({clips.name})", PACK, low=10.0),),
    )
