"""What does a model trained on rendered people know of real ones? Nothing is trained here.

Balanced accuracy of the highest score among the actions that a set has: as the scores come, with
each action's logits standardized over the set, and adapted as ``lilliput adapt`` does, which both
see the clips but no label. Then the controls: frames in any order, one frame, and the room alone.

    python -m benchmarks.real_people people --data ../shared/data --detector yolox_nano.onnx

ARID's val split is for reporting only: nothing was chosen on it.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from benchmarks.real_video import FRAMES, Frames, RealClip, Yolox, arid, gmdcsa24, pets
from lilliput.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from lilliput.inference.adaptation import adapt, check_adaptable
from lilliput.inference.recognizer import Recognizer
from lilliput.inference.windows import SourceFrame

Array = npt.NDArray[np.floating[Any]]
Names = Mapping[str, Sequence[str]]

HOME: Names = {
    "walk": ["walking"], "sit": ["sitting"], "stand": ["standing"], "lie": ["lying"],
    "fall": ["falling"],
}  # fmt: skip
NIGHT: Names = {  # its sitting is sitting down, its standing is standing up
    "walk": ["walking"], "run": ["running"], "sit": ["sitting", "sitting_down"],
    "stand": ["standing", "standing_up"], "jump": ["jumping"],
}  # fmt: skip
NORM_SHARE = 0.3
FALSE_SHARE = 0.02  # of the clips without an action, at its threshold
# Which labels show an action, and which may do so unlabeled; (set, label).
SHOWN: Mapping[str, tuple[set[str], set[str]]] = {
    "walking": ({"home walk", "night walk"}, set()),
    "running": ({"night run"}, set()),
    "standing": ({"home stand"}, {"night sit", "night stand"}),
    "sitting": ({"home sit"}, {"night sit", "night stand"}),
    "sitting_down": ({"night sit"}, set()),
    "standing_up": ({"night stand"}, set()),
    "lying": ({"home lie"}, {"home fall"}),
    "falling": ({"home fall"}, set()),
    "jumping": ({"night jump"}, set()),
}


def score(recognizer: Recognizer, clips: Sequence[Frames]) -> Array:
    """(N, K) logits."""
    sources = [[SourceFrame(_picture(frame)) for frame in clip] for clip in clips]
    scores = np.concatenate([recognizer.score_windows([source]) for source in sources])
    held = scores.astype(np.float64).clip(1e-6, 1 - 1e-6)
    logits: Array = np.log(held / (1 - held))
    return logits


def prepare(recognizer: Recognizer, clips: Sequence[Frames]) -> torch.Tensor:
    """(N, 3, T, S, S) what the network is given."""
    sources = ([SourceFrame(_picture(frame)) for frame in clip] for clip in clips)
    return torch.stack([recognizer.prepare(source)[0] for source in sources])


def _picture(frame: Frames) -> Any:
    return lambda: torch.from_numpy(np.ascontiguousarray(frame.transpose(2, 0, 1)))


def standardize(logits: Array) -> Array:
    """Each action's mean 0 and deviation 1."""
    standard: Array = (logits - logits.mean(axis=0)) / logits.std(axis=0).clip(1e-6)
    return standard


def recalls(logits: Array, labels: Sequence[str], classes: Sequence[str], names: Names) -> Array:
    """(C,) share of each label's clips whose highest score is that label's, of ``names``."""
    best = [logits[:, [classes.index(one) for one in ours]].max(axis=1) for ours in names.values()]
    found = np.array(list(names))[np.argmax(best, axis=0)]
    truth = np.array(labels)
    return np.array([(found[truth == name] == name).mean() for name in names])


def report(title: str, model: Checkpoint, clips: Sequence[RealClip], names: Names) -> None:
    """A line for each way of scoring."""
    recognizer = _recognizer(model)
    frames, labels = [clip.frames for clip in clips], [clip.label for clip in clips]
    classes = model.labels.class_names
    plain = score(recognizer, frames)
    ways = {"as they come": plain, "standardized": standardize(plain)}
    if _is_adaptable(model):
        adapted = adapt(model, prepare(recognizer, frames), norm_share=NORM_SHARE)
        ways["adapted"] = score(_recognizer(adapted), frames)
    rng = np.random.default_rng(0)
    controls = {
        "frames in any order": [clip[rng.permutation(FRAMES)] for clip in frames],
        "the middle frame alone": [clip[[FRAMES // 2] * FRAMES] for clip in frames],
        "the room alone": [clip.empty for clip in clips if clip.empty is not None],
    }
    for control, seen in controls.items():
        if len(seen) == len(clips):
            ways[f"{control}, standardized"] = standardize(score(recognizer, seen))
    print(f"\n{title}: {len(clips)} clips, {len(names)} classes, chance {100 / len(names):.1f}")
    for way, logits in ways.items():
        each = recalls(logits, labels, classes, names)
        shares = ", ".join(
            f"{name} {100 * recall:.0f}" for name, recall in zip(names, each, strict=True)
        )
        print(f"  {way:40} {100 * each.mean():5.1f}  ({shares})", flush=True)


def report_street(model: Checkpoint, clips: Sequence[RealClip]) -> None:
    """What those who move are called, by the highest of all scores."""
    frames = [clip.frames for clip in clips]
    names = np.array(model.labels.class_names)
    best = names[score(_recognizer(model), frames).argmax(axis=1)]
    for label in ("move", "stay"):
        called = best[[clip.label == label for clip in clips]]
        counts = {str(name): int((called == name).sum()) for name in dict.fromkeys(called)}
        ordered = sorted(counts.items(), key=lambda one: -one[1])
        shares = ", ".join(f"{name} {100 * count / len(called):.0f}" for name, count in ordered)
        print(f"\npets, {len(called)} windows of those who {label}: {shares}")


def set_thresholds(
    model: Checkpoint, home: Sequence[RealClip], night: Sequence[RealClip]
) -> Checkpoint:
    """The model with thresholds that at most ``FALSE_SHARE`` of real clips without it pass.

    An action that no clip shows keeps its threshold where that is higher.
    """
    clips = [*home, *night]
    labels = [f"home {clip.label}" for clip in home] + [f"night {clip.label}" for clip in night]
    logits = score(_recognizer(model), [clip.frames for clip in clips])
    thresholds = dict(zip(model.labels.class_names, model.thresholds, strict=True))
    for number, name in enumerate(thresholds):
        shown, unsure = SHOWN.get(name, (set(), set()))
        without = [label not in shown | unsure for label in labels]
        least = find_threshold(1 / (1 + np.exp(-logits[without, number])), FALSE_SHARE)
        thresholds[name] = least if shown else max(least, thresholds[name])
        found = 1 / (1 + np.exp(-logits[[label in shown for label in labels], number]))
        passed = f", passed by {100 * (found >= least).mean():.0f} % of its clips" if shown else ""
        print(f"threshold of {name}: {thresholds[name]:.3f}{passed}")
    note = "trained on rendered people alone; its thresholds are set on real clips"
    return replace(model, thresholds=tuple(map(float, thresholds.values())), note=note)


def find_threshold(scores: Array, share: float) -> float:
    """The lowest threshold that at most this share of the scores passes."""
    ordered = np.sort(scores)[::-1]
    passing = int(share * len(ordered))
    return float(np.nextafter(ordered[passing], 2))


def _recognizer(model: Checkpoint) -> Recognizer:
    return Recognizer(model, window_seconds=FRAMES / 30)


def _is_adaptable(model: Checkpoint) -> bool:
    try:
        check_adaptable(model)
    except Exception:
        return False
    return True


def main() -> None:
    """Parses, reads, prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("model", nargs="+")
    parser.add_argument("--data", type=Path, required=True, help="folder of gmdcsa24, arid, cctv")
    parser.add_argument("--detector", type=Path, required=True, help="a YOLOX network, .onnx")
    parser.add_argument("--val", action="store_true", help="ARID's val split, too")
    parser.add_argument(
        "--thresholds",
        type=Path,
        metavar="OUT",
        help="write the model with thresholds set on these",
    )
    given = parser.parse_args()
    torch.set_num_threads(1)
    detect = Yolox(given.detector)
    home = list(gmdcsa24(given.data / "gmdcsa24", detect))
    street = list(pets(given.data / "cctv/vtest.avi", given.data / "cctv/pets09_s2l1.csv"))
    splits = ("train", "val") if given.val else ("train",)
    night = {
        f"arid {split}, {how}": list(arid(given.data / "arid", split, finds))
        for split in splits
        for how, finds in (("the person's crop", detect), ("whole pictures", None))
    }
    for name in given.model:
        print(f"\n=== {name}")
        model = load_checkpoint(name)
        report("gmdcsa24", model, home, HOME)
        for title, clips in night.items():
            report(title, model, clips, NIGHT)
        report_street(model, street)
        if given.thresholds is not None:
            crops = night["arid train, the person's crop"]
            save_checkpoint(set_thresholds(model, home, crops), given.thresholds)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
