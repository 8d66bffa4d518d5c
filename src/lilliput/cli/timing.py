"""``lilliput tune-events`` and ``evaluate-events``: how well actions are found when they happen."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from lilliput.cli.options import Detector, Model
from lilliput.cli.output import console, messages, print_fact
from lilliput.errors import ConfigError

if TYPE_CHECKING:
    from lilliput.data.spans import ActionSpan
    from lilliput.data.tubes import ActionTube
    from lilliput.scoring import MeanPrecision
    from lilliput.watch.evaluation import ScoredRecording, TimeScores
    from lilliput.watch.pipeline import Watcher
    from lilliput.watch.settings import EventSettings, WindowSettings

Recordings = Annotated[Path, typer.Argument(help="A folder of whole recordings.")]
Actions = Annotated[
    Path, typer.Option(help="A CSV of their actions: recording,start_frame,end_frame,action.")
]
Settings = Annotated[
    Path | None, typer.Option(help="A TOML file with [events] and [windows], as of `watch`.")
]
UsedDetector = Annotated[
    Detector, typer.Option(help="motion; people; or none, for the whole picture.")
]


def tune_events(
    model: Model,
    recordings: Recordings,
    actions: Actions,
    settings: Settings = None,
    detector: UsedDetector = Detector.NONE,
    out: Annotated[Path, typer.Option(help="The settings, for `watch --settings`.")] = Path(
        "events.toml"
    ),
) -> None:
    """Tune how scores become events, on recordings that the model was not trained on."""
    from lilliput.watch.tuning import tune_events as tune

    watcher, scored, truth = _score(model, recordings, actions, settings, detector)
    tuned, reached = tune(scored, truth, watcher.class_names, watcher.rule.task)
    out.write_text(_to_toml(watcher.windows, tuned), encoding="utf-8")
    print_fact("macro F1 of events here, mean of tIoU 0.3 and 0.5", f"{100 * reached:.1f} %")
    print_fact("settings", out)


def evaluate_events(
    model: Model,
    recordings: Recordings,
    actions: Annotated[
        Path | None, typer.Option(help="Their actions, as of tune-events; none only finds.")
    ] = None,
    settings: Settings = None,
    detector: UsedDetector = Detector.NONE,
    boxes: Annotated[
        Path | None,
        typer.Option(
            help="Their actions with boxes: a CSV recording,actor,frame,left,top,right,bottom,"
            "action, or tubelets.json of `data footage`."
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="A CSV of what is found, with scores.")] = None,
) -> None:
    """Find the actions of whole recordings, and hold them to annotated ones.

    Tells frame AP and F1 of events by class, temporal mAP at tIoU 0.3 to 0.7, and with --boxes
    frame mAP at IoU 0.5 and video mAP at 0.2, 0.5 and 0.5:0.95. Events are those that the
    settings tell of: the lower the onsets, the more are ranked.
    """
    from lilliput.data.tubes import read_tubes
    from lilliput.scoring.detection import VIDEO_IOUS
    from lilliput.watch.evaluation import evaluate_in_time, write_found
    from lilliput.watch.placing import evaluate_in_space

    if actions is None and boxes is None and out is None:
        raise ConfigError(
            "nothing to do: give --actions or --boxes to compare with, or --out to write to"
        )
    tubes = {} if boxes is None else read_tubes(boxes)
    if boxes is not None and detector is Detector.NONE:
        messages.print(
            "warning: --detector none takes the whole picture as every box", highlight=False
        )
    watcher, scored, truth = _score(
        model, recordings, actions, settings, detector, tubes if boxes is not None else None
    )
    if out is not None:
        write_found(out, scored, watcher.class_names, watcher.rule)
        print_fact("found", out)
    if actions is not None:
        result = evaluate_in_time(scored, truth, watcher.class_names, watcher.rule)
        console.print(_table(result, watcher.class_names))
        _print_map("temporal mAP", "tIoU", result.temporal, list(result.temporal))
    if boxes is not None:
        placed = evaluate_in_space(scored, tubes, watcher.class_names, watcher.rule)
        print_fact("frame mAP, IoU 0.5", _percent(placed.frames.mean))
        _print_map("video mAP", "IoU", placed.videos, VIDEO_IOUS, shown=(0.2, 0.5))


def _print_map(
    name: str,
    overlap: str,
    scores: "Mapping[float, MeanPrecision]",
    ious: Sequence[float],
    shown: Sequence[float] | None = None,
) -> None:
    """A line for each overlap that is shown, and one for the mean over ``ious``."""
    from lilliput.scoring.detection import mean_over

    for iou in shown or ious:
        print_fact(f"{name}, {overlap} {iou:g}", _percent(scores[iou].mean))
    title = f"{name}, mean of {overlap} {ious[0]:g} to {ious[-1]:g}"
    print_fact(title, _percent(mean_over(scores, ious)))


def _percent(share: float) -> str:
    return "–" if math.isnan(share) else f"{100 * share:.1f} %"  # nothing in the truth


def _score(
    model: str,
    recordings: Path,
    actions: Path | None,
    settings: Path | None,
    detector: Detector,
    tubes: "Mapping[str, Sequence[ActionTube]] | None" = None,
) -> "tuple[Watcher, list[ScoredRecording], Mapping[str, Sequence[ActionSpan]]]":
    from lilliput.data.spans import find_recordings, read_spans
    from lilliput.inference.recognizer import Recognizer
    from lilliput.watch.cameras import CameraSettings, WatchSettings, read_watch_settings
    from lilliput.watch.evaluation import check_actions, score_recordings
    from lilliput.watch.pipeline import Watcher

    truth = {} if actions is None else read_spans(actions)
    named = None if actions is None and tubes is None else dict.fromkeys((*truth, *(tubes or ())))
    files = find_recordings(recordings, named)
    chosen = WatchSettings() if settings is None else read_watch_settings(settings)
    recognizer = Recognizer.load(model)
    class_names = recognizer.description.labels.class_names
    chosen.check_classes(class_names)
    check_actions(truth, class_names)
    check_actions(tubes or {}, class_names)
    camera = CameraSettings(name="recordings", source=str(recordings), detector=detector.value)
    watcher = Watcher(recognizer, camera, events=chosen.events, windows=chosen.windows)
    with Progress(console=messages, transient=True) as bar:
        task = bar.add_task("watching", total=len(files))
        scored = score_recordings(watcher, files, lambda: bar.advance(task))
    return watcher, scored, truth


def _table(result: "TimeScores", class_names: Sequence[str]) -> Table:
    ious = list(result.events)
    table = Table(title="%, by class")
    for heading in ("class", "frame AP", *(f"event F1, tIoU {iou:g}" for iou in ious)):
        table.add_column(heading, justify="left" if heading == "class" else "right")
    rows = [
        (name, result.frames.per_class[k], [result.events[iou].per_class.f1[k] for iou in ious])
        for k, name in enumerate(class_names)
    ]
    rows.append(("mean", result.frames.mean, [result.events[iou].macro.f1 for iou in ious]))
    for name, precision, f1 in rows:
        average = "–" if math.isnan(precision) else f"{100 * precision:.1f}"  # none in the truth
        table.add_row(escape(name), average, *(f"{100 * score:.1f}" for score in f1))
    return table


def _to_toml(windows: "WindowSettings", events: "EventSettings") -> str:
    """Both sections; names of classes are quoted, as they may hold anything."""
    lines = []
    for section, settings in (("windows", windows), ("events", events)):
        values = settings.model_dump(exclude_none=True)
        onset = values.pop("onset", {})
        lines += [f"[{section}]", *(f"{key} = {value}" for key, value in values.items()), ""]
    lines.append("[events.onset]")
    lines += [f"{json.dumps(name, ensure_ascii=False)} = {score}" for name, score in onset.items()]
    return "\n".join(lines) + "\n"
