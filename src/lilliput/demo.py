"""The whole job on the embedded default: synthetic clips in, a report and predictions out."""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from lilliput.checkpoint import load_checkpoint
from lilliput.config import load_config
from lilliput.data import Clip, VideoDataset, read_dataset
from lilliput.data.synthetic import write_synthetic
from lilliput.data.synthetic.write_footage import write_footage
from lilliput.evaluation.rendering import print_report
from lilliput.experiments.run import Evaluation, evaluate_checkpoint, run_recipe
from lilliput.inference.recognizer import Prediction, Recognizer
from lilliput.watch.cameras import CameraSettings, WatchSettings
from lilliput.watch.log import iter_events
from lilliput.watch.outputs import Outputs
from lilliput.watch.session import Session
from lilliput.weights import DEFAULT_MODEL

NUM_CLIPS = {"num_train": 700, "num_val": 200, "num_test": 150}
SCENE_SECONDS = 12.0
_NUM_PREDICTED = 6
_CAMERA = "scene"
_SCENE_SEED = 2  # of two people who walk and push something


def run_demo(folder: Path, console: Console) -> None:
    """Makes clips, trains, tunes thresholds, evaluates, predicts and reports, with progress.

    A demo that was stopped goes on; one that finished is shown again.

    Args:
        folder: Where everything is written.
        console: Where progress is told.

    Raises:
        DataError: The folder holds clips that are not the demo's.
        TrainingError: It holds the run of another version's demo.
    """
    run = folder / "run"
    console.rule("1/5  synthetic clips")
    dataset = _make_clips(folder / "data", console)
    console.rule("2/5  training, and thresholds tuned on val")
    validation = run_recipe(load_config("demo"), dataset, run, resume=True)
    print_report(validation.report, console)
    console.rule("3/5  test: other cameras, worse pictures")
    model = run / "best.safetensors"
    test = evaluate_checkpoint(
        load_checkpoint(model), dataset, "test", run / "test", model=str(model)
    )
    console.rule("4/5  predictions on held-out clips")
    _predict(model, dataset, console)
    console.rule(f"5/5  watching a rendered scene with the shipped model '{DEFAULT_MODEL}'")
    _watch(folder, console)
    _conclude(folder, validation, test, console)


def _make_clips(root: Path, console: Console) -> VideoDataset:
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("rendering", total=sum(NUM_CLIPS.values()))
        write_synthetic(root, **NUM_CLIPS, progress=lambda done: progress.advance(task, done))
    dataset = read_dataset(root)
    sizes = ", ".join(f"{len(clips)} {split}" for split, clips in dataset.splits.items())
    console.print(f"{sizes} clips of {len(dataset.labels)} classes, all rendered, none filmed")
    return dataset


def _predict(model: Path, dataset: VideoDataset, console: Console) -> None:
    clips = dataset.split("test")
    chosen: Sequence[Clip] = clips[:: max(1, len(clips) // _NUM_PREDICTED)][:_NUM_PREDICTED]
    recognizer = Recognizer.load(model)
    table = Table("clip", "recognised", "true labels")
    for clip in chosen:
        prediction: Prediction = recognizer.predict(clip.path)
        truth = ", ".join(dataset.labels.class_names[label] for label in clip.labels or ())
        table.add_row(clip.path.name, prediction.labels_in_words, truth)
    console.print(table)


def _watch(folder: Path, console: Console) -> None:
    """What the default model sees in a scene that it does not know, drawn by another renderer."""
    scene, out = folder / "scene", folder / "watched"
    if not scene.is_dir():
        write_footage(scene, 1, _SCENE_SEED, seconds=SCENE_SECONDS)
    (video,) = scene.glob("*.mp4")
    outputs = Outputs(out, formats=("video", "report"), resume=True)
    session = Session(Recognizer.load(DEFAULT_MODEL), WatchSettings(), outputs, lambda _: None)
    session.run([CameraSettings(name=_CAMERA, source=str(video))])
    table = Table("from, s", "to, s", "person", "action", "score")
    for event in iter_events(out / _CAMERA / "events.jsonl"):
        span = (f"{seconds:.1f}" for seconds in (event.start_seconds, event.end_seconds))
        table.add_row(*span, str(event.track), event.action, f"{event.score:.2f}")
    console.print(table)
    console.print(f"what was rendered: {scene / 'spans.csv'}")


def _conclude(folder: Path, validation: Evaluation, test: Evaluation, console: Console) -> None:
    table = Table("macro F1 on synthetic clips", "val", "test", title="what it learned")
    rows = {"this model": (_macro_f1(validation.report), _macro_f1(test.report))}
    for ours, theirs in zip(validation.report["guessers"], test.report["guessers"], strict=True):
        rows[f"guessing: {ours['name']}"] = (ours["macro_f1"], theirs["macro_f1"])
    for name, scores in rows.items():
        table.add_row(name, *(f"{100 * score:.1f} %" for score in scores))
    console.print(table)
    run = folder / "run"
    command = "lilliput" if shutil.which("lilliput") else sys.argv[0]
    lines = (
        f"made: {folder / 'data'}  the clips, in TinyVIRAT-v2's layout",
        f"      {run / 'best.safetensors'}  the model; it knows rendered clips only",
        f"      {validation.page}  and  {test.page}",
        f"      {run / 'curves.png'}  loss and F1 per epoch",
        f"      {folder / 'watched' / _CAMERA / 'annotated.mp4'}  the scene, with what was seen",
        "",
        f"next: {command} predict YOUR_CLIP.mp4   the shipped model on a video",
        f"      {command} watch YOUR_FOOTAGE.mp4   who does what, when and where",
        f"      {command} serve   the same on a page in the browser",
        f"      {command} data describe {folder / 'data'}   what is in a data set",
        f"      {command} train --data YOUR_CLIPS   a folder per class is enough",
        f"      {command} info   recipes and shipped models",
    )
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _macro_f1(report: dict[str, Any]) -> float:
    return float(report["metrics"]["macro"]["f1"])
