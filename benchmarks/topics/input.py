"""The whole training input, from a file or a pack to a normalised clip of 16 x 112 x 112."""

import cv2
import torch

from benchmarks.clips import ClipSet, clip_sets
from benchmarks.context import Context
from benchmarks.pipelines import Ours, Pipeline, RandAugment, peer_pipelines
from benchmarks.tables import Claim, Row, Table, make_rows
from benchmarks.timing import in_one_line, interleave

PACK, FILES, NATIVE = "Lilliput, pack", "Lilliput, files", "Lilliput, pack, native RandAugment"


def run(context: Context) -> list[Table]:
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    tables = []
    for clips in clip_sets(context):
        tables.append(_compare(context, clips, "input"))
        tables.append(_compare(context, clips, "none"))
    return tables


def _compare(context: Context, clips: ClipSet, rand_augment: RandAugment) -> Table:
    pipelines: dict[str, Pipeline] = {
        PACK: Ours(clips.packed, rand_augment),
        FILES: Ours(clips.files, rand_augment),
    }
    if rand_augment == "input":
        pipelines[NATIVE] = Ours(clips.packed, "native")
    missing = []
    for name, make in peer_pipelines(rand_augment).items():
        try:
            pipelines[name] = make()
        except Exception as error:  # a peer that is not installed is a row that says so
            missing.append(Row(name, note=f"not measured: {in_one_line(error)}"))
    cases = {
        name: lambda pipeline=pipeline: [
            pipeline(path, number) for number, path in enumerate(clips.paths)
        ]
        for name, pipeline in pipelines.items()
    }
    results = interleave(cases, budget_seconds=context.seconds(20))
    ours = {PACK, FILES, NATIVE}
    rows = make_rows(results, ours=ours, scale=1000 / len(clips.paths)) + tuple(missing)
    augmented = rand_augment == "input"
    claims = [Claim(f"Input from a pack faster than every peer ({clips.name})", PACK, low=1.0)]
    if augmented:
        text = f"Input with native-size RandAugment at least 3× every peer ({clips.name})"
        claims.append(Claim(text, NATIVE, low=3.0))
    return Table(
        f"Training input, {clips.name}, {'with' if augmented else 'without'} RandAugment",
        "16 segment frames, short side 128 to 160 px, crop 112, flip, "
        + ("RandAugment of the same operations and draws, " if augmented else "")
        + "Kinetics normalisation; one process, one thread. Clips in memory or in the page cache. "
        "torchvision's reference works on floats and crops before RandAugment; PyTorchVideo "
        "subsamples uniformly and reads the whole clip; RandAugment is torchvision's for all "
        "peers, and ours gives the same pixels.",
        "ms a clip",
        rows,
        claims=tuple(claims if augmented else ()),
    )
