"""How well does watching find who does what, when and where? On synthetic footage.

Renders untrimmed recordings of several actors, watches them with a model, and holds the tracks
and events to the truth: actors found at all, actions found in time, actions found in time and
space. The first is a matter of detection and tracking alone, so that their errors can be told
from those of recognition. The figures say that the code works, not how well it does on real
footage. Takes about 15 s for each recording on one core.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from lilliput.data.synthetic.write_footage import write_footage
from lilliput.inference.recognizer import Recognizer
from lilliput.scoring import DetectionScores, Span, Tubelet, actor_f1, event_f1, tubelet_f1
from lilliput.watch.cameras import CameraSettings
from lilliput.watch.events import Event
from lilliput.watch.footage import open_footage
from lilliput.watch.pipeline import Watcher
from lilliput.watch.scene import Box

OVERLAPS = (0.2, 0.5)


@dataclass
class Sighted:
    """Tubelets of whole actors, and of their actions, of one side: found or true."""

    actors: list[Tubelet] = field(default_factory=list)
    actions: list[Tubelet] = field(default_factory=list)

    @property
    def spans(self) -> list[Span]:
        """The actions' times, in frames."""
        return [
            Span(t.recording, t.label, t.start_frame, t.start_frame + len(t.boxes), t.score)
            for t in self.actions
        ]


def read_truth(content: Mapping[str, Any], class_names: Sequence[str]) -> Sighted:
    """What ``tubelets.json`` says."""
    true = Sighted()
    for name, actors in content["recordings"].items():
        for actor in actors:
            first, last = actor["first_frame"], actor["first_frame"] + len(actor["boxes"]) - 1
            frames = range(first, last + 1)
            true.actors.append(Tubelet.through(name, 0, frames, actor["boxes"]))
            for action in actor["actions"]:
                start, end = action["start_frame"], action["end_frame"]
                boxes = actor["boxes"][start - first : end - first + 1]
                label = class_names.index(action["action"])
                true.actions.append(Tubelet.through(name, label, range(start, end + 1), boxes))
    return true


def watch(path: Path, detector: str, recognizer: Recognizer, fps: float) -> Sighted:
    """Watches one recording; frames count at its own rate, ``fps``."""
    camera = CameraSettings(name=path.stem, source=str(path), detector=detector)
    watcher = Watcher(recognizer, camera)
    tracks: dict[int, list[tuple[float, Box]]] = {}
    found = Sighted()
    with open_footage(camera) as footage:
        hold = 1 / footage.fps  # a box stands for the frames up to the next one that is watched
        for step in watcher.watch(footage):
            if step.scene is not None:
                for tracked in (t for t in step.scene.tracks if t.is_seen):
                    seen = (step.scene.frame.seconds, tracked.box)
                    tracks.setdefault(tracked.track, []).append(seen)
            ended = [message.event for message in step.messages if message.kind == "end"]
            found.actions += [_action(event, watcher.class_names, path, fps) for event in ended]
    for track in tracks.values():
        path_of_boxes = [*track, (track[-1][0] + hold, track[-1][1])]
        found.actors.append(_tubelet(path.stem, 0, path_of_boxes, fps, 1.0))
    return found


def _action(event: Event, class_names: Sequence[str], path: Path, fps: float) -> Tubelet:
    inner = [(at.seconds, at.box) for at in event.boxes]
    first, last = (event.start_seconds, inner[0][1]), (event.end_seconds, inner[-1][1])
    between = [known for known in inner if first[0] < known[0] < last[0]]
    label = class_names.index(event.action)
    return _tubelet(path.stem, label, [first, *between, last], fps, event.score)


def _tubelet(
    name: str, label: int, known: Sequence[tuple[float, Box]], fps: float, score: float
) -> Tubelet:
    boxes = {round(seconds * fps): box for seconds, box in known}
    if len(boxes) > 1:
        boxes[max(boxes) - 1] = boxes.pop(max(boxes))  # its last frame, no longer its end
    frames = sorted(boxes)
    return Tubelet.through(name, label, frames, [boxes[frame] for frame in frames], score)


def print_scores(title: str, scores: DetectionScores, *, macro: bool = True) -> None:
    micro, mean = scores.micro, scores.macro.f1
    counts = scores.per_class
    print(
        f"{title:34}{micro.precision:10.3f}{micro.recall:10.3f}{micro.f1:10.3f}"
        + (f"{mean:10.3f}" if macro else f"{'':10}")
        + f"{int(counts.true_positives.sum()):8d}{int(counts.predicted.sum()):8d}"
        + f"{int(counts.support.sum()):8d}"
    )


def report(found: Sighted, true: Sighted, class_names: Sequence[str]) -> None:
    num_classes = len(class_names)
    columns = ("precision", "recall", "micro F1", "macro F1")
    print(f"\n{'':34}" + "".join(f"{name:>10}" for name in columns), end="")
    print("".join(f"{name:>8}" for name in ("hits", "found", "true")))
    for overlap in OVERLAPS:
        scores = actor_f1(found.actors, true.actors, min_iou=overlap)
        print_scores(f"actors, overlap {overlap}", scores, macro=False)
    for overlap in OVERLAPS:
        scores = event_f1(found.spans, true.spans, num_classes, min_iou=overlap)
        print_scores(f"actions in time, overlap {overlap}", scores)
    for overlap in OVERLAPS:
        scores = tubelet_f1(found.actions, true.actions, num_classes, min_iou=overlap)
        print_scores(f"actions in time and space, {overlap}", scores)
    counts = tubelet_f1(found.actions, true.actions, num_classes, min_iou=OVERLAPS[0]).per_class
    columns = ("F1", "hits", "found", "true")
    title = f"in time and space, {OVERLAPS[0]}"
    print(f"\n{title:34}" + "".join(f"{name:>8}" for name in columns))
    for index, name in enumerate(class_names):
        row = (counts.true_positives[index], counts.predicted[index], counts.support[index])
        print(f"{name:34}{counts.f1[index]:8.2f}" + "".join(f"{int(value):8d}" for value in row))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--model", default="synthetic")
    parser.add_argument("--detector", default="motion")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--data", type=Path, help="keep the footage here; if it exists, reuse it")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    recognizer = Recognizer.load(args.model)
    class_names = recognizer.description.labels.class_names
    found = Sighted()
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.data or Path(temporary) / "footage"
        if not folder.exists():
            write_footage(folder, args.count, args.seed, seconds=args.seconds)
        content = json.loads((folder / "tubelets.json").read_text(encoding="utf-8"))
        for path in sorted(folder.glob("*.mp4")):
            sighted = watch(path, args.detector, recognizer, content["fps"])
            found.actors += sighted.actors
            found.actions += sighted.actions
            print(f"watched: {path.name}, {len(sighted.actors)} tracks", flush=True)
    report(found, read_truth(content, class_names), class_names)
    return 0


if __name__ == "__main__":
    sys.exit(main())
