"""Does the synthetic data ask for what it claims? Trains a tiny 3-D CNN, then takes cues away.

The same network is trained and tested on the real order of frames, on shuffled frames, on one
frame repeated, and on the background alone; all three must score clearly lower. The pairs that
only time tells apart are also judged by themselves: without order they must come down to a coin.

A second, smaller set of turning vehicles alone compares flips that swap the labels with flips
that keep them, which must hurt: in the full set too few clips turn for so small a network.
Prints tables and exits with 1 if a claim fails. Takes about 15 minutes on one core.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import av
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from lilliput.data.labels import find_flip_pairs
from lilliput.data.synthetic import TINYVIRAT_CLASSES, write_synthetic
from lilliput.data.synthetic.motion import FPS
from lilliput.data.synthetic.plan import ClipPlan, plan_dataset
from lilliput.data.synthetic.render import render_clip, stage
from lilliput.data.synthetic.write import clip_path
from lilliput.video.encode import write_video

NUM_FRAMES, INPUT_SIZE = 16, 28
CLEARLY = 0.8  # a control must score below this share of the real order's macro F1
FLIP_PAIRS = find_flip_pairs(TINYVIRAT_CLASSES)
ORDER_PAIRS = (
    ("Opening", "Closing"),
    ("Entering", "Exiting"),
    ("Push", "Pull"),
    ("vehicle_starting", "vehicle_stopping"),
)
TURNING_PAIR = (("vehicle_turning_left", "vehicle_turning_right"),)
TURNING = [index for pair in FLIP_PAIRS for index in pair]


@dataclass(frozen=True)
class Split:
    """Clips ``(N, 2T, 3, S, S)`` uint8, twice as dense as the input, and targets ``(N, K)``."""

    frames: Tensor
    targets: Tensor


class TinyNet(nn.Sequential):
    """Four 3-D convolutions, small enough for minutes on one core; eight steps of time remain."""

    def __init__(self, num_classes: int, width: int = 16) -> None:
        layers: list[nn.Module] = []
        channels = 6  # colours and their changes
        for factor, stride in ((1, (1, 2, 2)), (2, (1, 2, 2)), (3, (2, 1, 1)), (4, (1, 2, 2))):
            layers += [
                nn.Conv3d(channels, factor * width, 3, stride, 1, bias=False),
                nn.BatchNorm3d(factor * width),
                nn.ReLU(),
            ]
            channels = factor * width
        # Quarters of the clip stay apart, so that order can matter to a network as small as this.
        pool = nn.AdaptiveAvgPool3d((4, 1, 1))
        super().__init__(*layers, pool, nn.Flatten(), nn.Linear(4 * channels, num_classes))


def write_clips(folder: Path, plans: list[ClipPlan], *, actors: bool) -> None:
    for plan in plans:
        path = folder / clip_path(plan)
        path.parent.mkdir(parents=True, exist_ok=True)
        frames = render_clip(plan, actors=actors).transpose(0, 2, 3, 1)
        write_video(path, frames, fps=FPS, crf=plan.recording.crf, preset="superfast")


def read_clips(folder: Path, plans: list[ClipPlan]) -> Split:
    frames, targets = [], torch.zeros(len(plans), len(TINYVIRAT_CLASSES))
    for row, plan in enumerate(plans):
        with av.open(str(folder / clip_path(plan))) as container:
            clip = np.stack([f.to_ndarray(format="rgb24") for f in container.decode(video=0)])
        picks = ((np.arange(2 * NUM_FRAMES) + 0.5) * len(clip) / (2 * NUM_FRAMES)).astype(int)
        pixels = torch.from_numpy(clip[picks]).permute(0, 3, 1, 2).float()
        scaled = functional.interpolate(
            pixels, size=(INPUT_SIZE, INPUT_SIZE), mode="bilinear", antialias=True
        )
        frames.append(scaled.round().byte())
        for label in stage(plan).labels:
            targets[row, TINYVIRAT_CLASSES.index(label)] = 1
    return Split(torch.stack(frames), targets)


def sample(frames: Tensor, order: str, generator: torch.Generator, *, train: bool) -> Tensor:
    """Takes one of two frames per segment, in the asked order; ``(N, 3, T, S, S)`` float."""
    count = len(frames)
    jitter = torch.randint(0, 2, (count, NUM_FRAMES), generator=generator) if train else 1
    picks = 2 * torch.arange(NUM_FRAMES).expand(count, -1) + jitter
    if order == "shuffled":
        picks = picks.gather(1, torch.rand(count, NUM_FRAMES, generator=generator).argsort(1))
    if order == "single":
        one = torch.randint(0, NUM_FRAMES, (count, 1), generator=generator)
        picks = picks.gather(1, one).expand(-1, NUM_FRAMES)
    clips = frames[torch.arange(count)[:, None], picks].permute(0, 2, 1, 3, 4).float()
    return (clips - clips.mean(dim=(1, 2, 3, 4), keepdim=True)) / 50


def with_changes(clips: Tensor) -> Tensor:
    """Adds what changed since the frame before as three more channels; it shortens training."""
    changes = torch.diff(clips, dim=2, prepend=clips[:, :, :1])
    return torch.cat([clips, 2 * changes], dim=1)


def swap(labels: Tensor) -> Tensor:
    """Exchanges the columns that a flip exchanges."""
    swapped = labels.clone()
    for left, right in FLIP_PAIRS:
        swapped[:, [left, right]] = labels[:, [right, left]]
    return swapped


def train(data: Split, order: str, epochs: int, *, swap_labels: bool = True) -> nn.Module:
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    model = TinyNet(len(TINYVIRAT_CLASSES))
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=0.02)
    batches = len(data.frames) // 32
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 5e-3, epochs * batches)
    for _ in range(epochs):
        for rows in torch.randperm(len(data.frames), generator=generator)[: batches * 32].view(
            -1, 32
        ):
            clips = sample(data.frames[rows], order, generator, train=True)
            clips = clips * (0.7 + 0.6 * torch.rand(len(rows), 1, 1, 1, 1, generator=generator))
            targets = data.targets[rows]
            flipped = torch.rand(len(rows), generator=generator) < 0.5
            clips[flipped] = clips[flipped].flip(-1)
            if swap_labels:
                targets = torch.where(flipped[:, None], swap(targets), targets)
            loss = functional.binary_cross_entropy_with_logits(model(with_changes(clips)), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return model.eval()


@torch.inference_mode()
def scores(model: nn.Module, data: Split, order: str) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    parts = [
        model(with_changes(sample(part, order, generator, train=False))).sigmoid()
        for part in data.frames.split(64)
    ]
    return torch.cat(parts)


def pair_accuracy(
    probabilities: Tensor, targets: Tensor, pairs: Sequence[tuple[str, str]]
) -> float:
    """How often the right one of two opposite classes scores higher; 0.5 is a coin."""
    right = []
    for pair in pairs:
        one, other = (TINYVIRAT_CLASSES.index(name) for name in pair)
        differ = targets[:, one] != targets[:, other]
        margin = (probabilities[:, one] - probabilities[:, other])[differ]
        right.append((margin > 0) == (targets[differ, one] > 0))
    return float(torch.cat(right).float().mean())


def f1_per_class(probabilities: Tensor, targets: Tensor) -> Tensor:
    """F1 of each class at the one threshold that gives the best macro F1."""
    best = torch.zeros(targets.shape[1])
    for threshold in torch.arange(0.05, 0.95, 0.025):
        predicted = (probabilities > threshold).float()
        hits = (predicted * targets).sum(0)
        f1 = 2 * hits / (predicted.sum(0) + targets.sum(0)).clamp(min=1)
        best = max(best, f1, key=lambda values: float(values.mean()))
    return best


def control(
    name: str, data: list[Split], epochs: int, *, order: str = "real", swap_labels: bool = True
) -> tuple[Tensor, Tensor]:
    """Trains on the first split; probabilities and F1 per class on the second."""
    started = time.monotonic()
    model = train(data[0], order, epochs, swap_labels=swap_labels)
    probabilities = scores(model, data[1], order)
    print(f"trained: {name}, {time.monotonic() - started:.0f} s", flush=True)
    return probabilities, f1_per_class(probabilities, data[1].targets)


def order_claims(root: Path, args: argparse.Namespace) -> list[str]:
    """The full set: real order against shuffled, single and empty frames."""
    plans = plan_dataset({"train": args.train, "val": args.val, "test": 0}, args.seed)
    write_synthetic(
        root, num_train=args.train, num_val=args.val, num_test=0, seed=args.seed, workers=1
    )
    data, empty = [], []
    for split in ("train", "val"):
        write_clips(root / "empty" / split, plans[split], actors=False)
        data.append(read_clips(root / "videos" / split, plans[split]))
        empty.append(read_clips(root / "empty" / split, plans[split]))
    results = {
        "real order": control("real order", data, args.epochs),
        "shuffled": control("shuffled", data, args.epochs, order="shuffled"),
        "single frame": control("single frame", data, args.epochs, order="single"),
        "background": control("background", empty, args.epochs),
    }
    targets = data[1].targets
    print(f"\n{'validation':28}{'clips':>6}" + "".join(f"{name:>14}" for name in results))
    for index, label in enumerate(TINYVIRAT_CLASSES):
        columns = "".join(f"{float(f1[index]):14.2f}" for _, f1 in results.values())
        print(f"{label:28}{int(targets[:, index].sum()):6d}{columns}")
    macro = {name: float(f1.mean()) for name, (_, f1) in results.items()}
    pairs = {name: pair_accuracy(p, targets, ORDER_PAIRS) for name, (p, _) in results.items()}
    for title, values in (("macro F1", macro), ("accuracy within order pairs", pairs)):
        print(f"{title:34}" + "".join(f"{value:14.3f}" for value in values.values()))
    controls = list(results)[1:]
    failed = [f"macro F1, {n}" for n in controls if macro[n] > CLEARLY * macro["real order"]]
    return failed + [f"pairs, {n}" for n in controls if pairs[n] > CLEARLY * pairs["real order"]]


def turning_claims(root: Path, args: argparse.Namespace) -> list[str]:
    """Turning vehicles alone: flips that swap the labels against flips that keep them."""
    plans = plan_dataset({"train": args.turning, "val": args.turning // 3, "test": 0}, args.seed)
    data = []
    for split in ("train", "val"):
        turns = [replace(p, subject=TURNING_PAIR[0][p.number % 2]) for p in plans[split]]
        write_clips(root / split, turns, actors=True)
        data.append(read_clips(root / split, turns))
    epochs = args.epochs + 6
    results = {
        "flips swap labels": control("flips swap labels", data, epochs),
        "flips keep labels": control("flips keep labels", data, epochs, swap_labels=False),
    }
    print(f"\n{'turning vehicles':20}{'accuracy':>10}{'F1 left':>10}{'F1 right':>10}")
    for name, (probabilities, f1) in results.items():
        accuracy = pair_accuracy(probabilities, data[1].targets, TURNING_PAIR)
        print(
            f"{name:20}{accuracy:10.3f}{float(f1[TURNING[0]]):10.2f}{float(f1[TURNING[1]]):10.2f}"
        )
    swapped, kept = (float(f1[TURNING].mean()) for _, f1 in results.values())
    return ["flips keep labels"] if kept > CLEARLY * swapped else []


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", type=int, default=1600)
    parser.add_argument("--val", type=int, default=500)
    parser.add_argument("--turning", type=int, default=600)
    parser.add_argument("--epochs", type=int, default=14)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    with tempfile.TemporaryDirectory() as temporary:
        failed = turning_claims(Path(temporary) / "turning", args)
        failed += order_claims(Path(temporary) / "full", args)
    print(f"\nclaims that fail: {', '.join(failed) or 'none'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
