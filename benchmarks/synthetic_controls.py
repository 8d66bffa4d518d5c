"""Does the synthetic data ask for what it claims? Trains a tiny 3-D CNN, then takes cues away.

The same network is trained and tested on the real order of frames, on shuffled frames, on one
frame repeated, and on the background alone; all three must score clearly lower. A last pair of
trainings compares flips that swap the turning labels with flips that keep them, which must hurt
the turning classes. Prints a table and exits with 1 if a claim fails.
"""

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from lilliput.data.labels import find_flip_pairs
from lilliput.data.synthetic import TINYVIRAT_CLASSES, write_synthetic
from lilliput.data.synthetic.plan import ClipPlan, plan_dataset
from lilliput.data.synthetic.render import render_clip, stage
from lilliput.data.synthetic.write import clip_path, encode

NUM_FRAMES, INPUT_SIZE = 16, 28
CLEARLY = 0.8  # a control must score below this share of the real order's macro F1
FLIP_PAIRS = find_flip_pairs(TINYVIRAT_CLASSES)
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
        channels = 3
        for factor, stride in ((1, (1, 2, 2)), (2, (1, 2, 2)), (3, (2, 1, 1)), (4, (1, 2, 2))):
            layers += [
                nn.Conv3d(channels, factor * width, 3, stride, 1, bias=False),
                nn.BatchNorm3d(factor * width),
                nn.ReLU(),
            ]
            channels = factor * width
        super().__init__(
            *layers, nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(channels, num_classes)
        )


def read_split(folder: Path, plans: list[ClipPlan], *, actors: bool = True) -> Split:
    frames, targets = [], torch.zeros(len(plans), len(TINYVIRAT_CLASSES))
    for row, plan in enumerate(plans):
        path = folder / clip_path(plan)
        if not actors:
            path = folder / "background.mp4"
            encode(path, render_clip(plan, actors=False), plan.recording.crf)
        with av.open(str(path)) as container:
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
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.02)
    batches = len(data.frames) // 32
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, epochs * batches)
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
            loss = functional.binary_cross_entropy_with_logits(model(clips), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return model.eval()


@torch.inference_mode()
def scores(model: nn.Module, data: Split, order: str) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    parts = [
        model(sample(part, order, generator, train=False)).sigmoid()
        for part in data.frames.split(64)
    ]
    return torch.cat(parts)


def f1_per_class(probabilities: Tensor, targets: Tensor) -> Tensor:
    """F1 of each class at the one threshold that gives the best macro F1."""
    best = torch.zeros(targets.shape[1])
    for threshold in torch.arange(0.05, 0.95, 0.025):
        predicted = (probabilities > threshold).float()
        hits = (predicted * targets).sum(0)
        f1 = 2 * hits / (predicted.sum(0) + targets.sum(0)).clamp(min=1)
        best = max(best, f1, key=lambda values: float(values.mean()))
    return best


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", type=int, default=1500)
    parser.add_argument("--val", type=int, default=500)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    num_clips = {"train": args.train, "val": args.val, "test": 0}
    plans = plan_dataset(num_clips, args.seed)
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary) / "synthetic"
        write_synthetic(
            root, num_train=args.train, num_val=args.val, num_test=0, seed=args.seed,
            workers=args.threads,
        )  # fmt: skip
        data, empty = (
            [
                read_split(root / "videos" / split, plans[split], actors=actors)
                for split in ("train", "val")
            ]
            for actors in (True, False)
        )

    results: dict[str, Tensor] = {}
    for name, order, (training, validation), swap_labels in (
        ("real order", "real", data, True),
        ("shuffled frames", "shuffled", data, True),
        ("single frame", "single", data, True),
        ("background alone", "real", empty, True),
        ("flips keep labels", "real", data, False),
    ):
        started = time.monotonic()
        model = train(training, order, args.epochs, swap_labels=swap_labels)
        f1 = f1_per_class(scores(model, validation, order), validation.targets)
        results[name] = f1
        print(
            f"{name:18} macro F1 {f1.mean():.3f}  turning {f1[TURNING].mean():.3f}"
            f"  ({time.monotonic() - started:.0f} s)",
            flush=True,
        )

    print(f"\n{'F1 per class':28}{'clips':>6}" + "".join(f"{name:>18}" for name in results))
    for index, label in enumerate(TINYVIRAT_CLASSES):
        columns = "".join(f"{float(f1[index]):18.2f}" for f1 in results.values())
        print(f"{label:28}{int(data[0].targets[:, index].sum()):6d}{columns}")
    real = results.pop("real order")
    kept = results.pop("flips keep labels")
    failed = [name for name, f1 in results.items() if f1.mean() > CLEARLY * real.mean()]
    if kept[TURNING].mean() > CLEARLY * real[TURNING].mean():
        failed.append("flips keep labels")
    print(f"\nclaims that fail: {', '.join(failed) or 'none'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
