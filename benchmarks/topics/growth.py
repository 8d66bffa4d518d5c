"""How time and memory grow: one table, and one panel of the figure, per thing that grows."""

import csv
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from benchmarks.clips import ClipSet, synthetic_clips
from benchmarks.context import Context
from benchmarks.networks import AD_R18, NUM_CLASSES, make_checkpoint, make_config
from benchmarks.readers import read_ours
from benchmarks.tables import Row, Table, make_rows
from benchmarks.timing import interleave
from benchmarks.topics.memory import peak_of_predict, small_model
from benchmarks.topics.thresholds import made_up_scores
from lilliput.builders import build_model
from lilliput.data import read_dataset
from lilliput.data.packing import write_pack
from lilliput.inference.recognizer import Recognizer
from lilliput.models.facts import measure_facts
from lilliput.scoring import tune_global

_WIDTH = 32  # channels of the first stage: half the thesis', so that 64 frames take seconds
_NARROW = AD_R18 | {"width": _WIDTH, "input_size": 56}


def run(context: Context) -> list[Table]:
    clips = synthetic_clips(context.folder, context.count(40, 8), 16)
    frames, sides = (8, 16, 32, 64), (14, 28, 56, 112)
    by_frames = {count: _network(num_frames=count) for count in frames}
    by_side = {side: _network(input_size=side) for side in sides}
    network = f"ResNet-3D 18, adapted, width {_WIDTH}"
    return [
        _reading(context, clips),
        _tuning(context),
        _views(context),
        _forward(context, "Forward pass over frames T", f"{network}, 56 px.", by_frames),
        _forward(context, "Forward pass over input size, px", f"{network}, T = 16.", by_side),
        _classes(context),
        _kept("Feature maps over frames T", by_frames),
        _kept("Feature maps over input size, px", by_side),
        _lengths(context),
    ]


Network = tuple[torch.nn.Module, tuple[int, int, int, int]]


def _network(num_frames: int = 16, num_classes: int = NUM_CLASSES, **model: int) -> Network:
    config = make_config(_NARROW | model).model
    network = build_model(config, num_classes, num_frames).eval()
    return network, (3, num_frames, config.input_size, config.input_size)


def _measure(
    context: Context, title: str, text: str, cases: dict[str, Callable[[], object]], **table: object
) -> Table:
    results = interleave(cases, budget_seconds=context.seconds(12), max_rounds=9)
    scale = table.pop("scale", 1000.0)
    rows = make_rows(results, ours=set(cases), scale=scale)
    return Table(title, text, table.pop("unit", "ms"), rows, baseline="-")


def _forward(context: Context, title: str, text: str, networks: dict[int, Network]) -> Table:
    cases = {str(size): _pass_through(*network) for size, network in networks.items()}
    return _measure(context, title, f"One clip, PyTorch eager. {text}", cases)


def _pass_through(model: torch.nn.Module, shape: Sequence[int]) -> Callable[[], object]:
    clips = torch.randn(1, *shape)

    def call() -> None:
        with torch.inference_mode():
            model(clips)

    return call


def _classes(context: Context) -> Table:
    counts = (10, 100, 1000, 10000)
    networks = {count: _network(num_classes=count, input_size=28) for count in counts}
    text = "The same at 28 px, T = 16."
    return _forward(context, "Forward pass over classes K", text, networks)


def _kept(title: str, networks: dict[int, Network]) -> Table:
    rows = tuple(
        Row(str(size), (measure_facts(model, shape).inference_mib,), ours=True)
        for size, (model, shape) in networks.items()
    )
    text = "The most that feature maps hold at a time in a forward pass, counted on shapes."
    return Table(title, text, "MiB", rows, baseline="-")


def _reading(context: Context, clips: ClipSet) -> Table:
    counts = (100, 1000, context.count(10000, 3000))
    cases = {}
    for count in counts:
        packed = _repeated_pack(context.folder, clips, count)
        order = np.random.default_rng(0).permutation(count)[:100]
        cases[str(count)] = lambda packed=packed, order=order: [
            read_ours(packed[index], np.random.default_rng(0)) for index in order
        ]
    text = "16 frames of random clips of a pack, 16 px."
    return _measure(context, "Reading a clip over clips in the pack", text, cases, scale=10.0)


def _repeated_pack(folder: Path, clips: ClipSet, count: int) -> Sequence:
    """A pack of many clips: the same files under other names."""
    manifest = folder / f"repeated{count}.csv"
    paths = [path.relative_to(folder) for path in clips.paths]
    rows = [(paths[i % len(paths)], "Push", "train", "one", f"clip{i}") for i in range(count)]
    with manifest.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("path", "labels", "split", "group", "id"), *rows])
    root = folder / f"repeated{count}"
    write_pack(read_dataset(manifest), root)
    return read_dataset(root).split("train")


def _tuning(context: Context) -> Table:
    cases = {}
    for count in (10**3, 10**4, 10**5, *(() if context.quick else (10**6,))):
        scores, targets = made_up_scores(count)
        cases[str(count)] = lambda scores=scores, targets=targets: tune_global(scores, targets)
    text = "One exact threshold for macro F1, 26 classes."
    return _measure(context, "Tuning a threshold over clips", text, cases, scale=1.0, unit="s")


def _views(context: Context) -> Table:
    video = np.random.default_rng(0).integers(0, 256, (75, 70, 70, 3), dtype=np.uint8)
    checkpoint = make_checkpoint(_NARROW | {"input_size": 28})
    cases = {}
    for count in (1, 2, 5, 10):
        evaluation = checkpoint.config.evaluation.model_copy(update={"num_clips": count})
        config = checkpoint.config.model_copy(update={"evaluation": evaluation})
        recognizer = Recognizer(replace(checkpoint, config=config))
        cases[str(count)] = lambda recognizer=recognizer: recognizer.predict(video)
    text = "`Recognizer.predict` of 75 frames in memory at 28 px, without flips."
    return _measure(context, "Prediction over clips K of TTA", text, cases)


def _lengths(context: Context) -> Table:
    model = small_model(context.folder)
    rows = []
    for minutes in (1, 4, context.count(15, 8)):
        row = peak_of_predict(context.folder, model, minutes)
        rows.append(replace(row, name=str(minutes)))
    text = "As under Memory; the axis starts at zero."
    return Table("Memory of predict over minutes of video", text, "MiB", tuple(rows), baseline="-")
