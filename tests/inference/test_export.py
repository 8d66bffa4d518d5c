"""What an export must keep, and that nothing is left of one that does not."""

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from lilliput.checkpoint import DOCUMENT_KEY, Checkpoint, save_checkpoint
from lilliput.data import LabelSet, read_dataset
from lilliput.errors import CheckpointError, ConfigError, DataError, ExportError
from lilliput.evaluation.evaluate import score_split
from lilliput.inference import export
from lilliput.inference.export import LabelledClips, export_model
from lilliput.inference.loading import load_model
from lilliput.inference.recognizer import Recognizer
from lilliput.scoring import compute_metrics
from lilliput.watch.cameras import CameraSettings
from lilliput.watch.footage import open_footage
from lilliput.watch.pipeline import Watcher
from lilliput.watch.settings import EventSettings

Noise = Callable[..., np.ndarray]
WriteVideo = Callable[..., Path]

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("nncf")


@pytest.fixture(scope="module")
def labelled(tiny_folder: Path) -> LabelledClips:
    return LabelledClips(read_dataset(tiny_folder))


def test_int8_is_calibrated_judged_and_run(
    micro_file: Path, micro_checkpoint: Checkpoint, labelled: LabelledClips, tmp_path: Path
) -> None:
    path = tmp_path / "new" / "model.xml"
    done: list[int] = []
    report = export_model(micro_file, path, "int8", labelled, advance=done.append)
    assert sum(done) == 2 * 6
    files = sorted(path.parent.iterdir())
    assert [file.name for file in files] == ["model.bin", "model.xml"]
    assert report.num_bytes == sum(file.stat().st_size for file in files)
    description, engine = load_model(path)
    assert (engine.name, engine.precision) == ("openvino", "int8")
    scored = score_split(description, labelled.dataset, "val", forward=engine)
    thresholds = np.array(micro_checkpoint.thresholds)
    f1 = 100 * compute_metrics(scored.scores, scored.targets, thresholds).macro.f1
    assert report.macro_f1 is not None
    assert report.macro_f1[1] == pytest.approx(f1)
    plain = score_split(micro_checkpoint, labelled.dataset, "val")
    assert 0 < np.abs(plain.scores - scored.scores).max() < 0.1
    assert 1e-4 < report.difference < 0.2


def test_an_exported_model_predicts_as_its_checkpoint(micro_file: Path, tmp_path: Path) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (9, 16, 16, 3), dtype=np.uint8)
    expected = Recognizer.load(micro_file, engine="torch").predict(frames)
    for name, precision in (("a.onnx", "fp32"), ("a.xml", "bf16")):
        report = export_model(micro_file, tmp_path / name, precision)
        assert report.macro_f1 is None
        found = Recognizer.load(tmp_path / name).predict(frames)
        np.testing.assert_allclose(found.scores, expected.scores, atol=0.02)


@pytest.mark.parametrize("name", ["a.onnx", "a.xml"])
def test_an_export_of_one_label_answers_as_its_checkpoint(
    micro_single_file: Path, labelled: LabelledClips, tmp_path: Path, name: str
) -> None:
    report = export_model(micro_single_file, tmp_path / name, "fp32", labelled)
    assert report.macro_f1 is not None
    assert report.macro_f1[0] == report.macro_f1[1] > 0
    if name == "a.onnx":
        (text,) = (
            entry.value
            for entry in onnx.load(tmp_path / name).metadata_props
            if entry.key == DOCUMENT_KEY
        )
        assert json.loads(text)["config"]["task"] == "single"
    original = Recognizer.load(micro_single_file, engine="torch")
    exported = Recognizer.load(tmp_path / name)
    assert exported.description.task == "single"
    for clip in labelled.dataset.split("test", labelled=False):
        expected, found = (one.predict(clip.path) for one in (original, exported))
        assert (found.task, found.labels) == ("single", expected.labels)
        np.testing.assert_allclose(found.scores, expected.scores, atol=1e-4)
    scored = [
        score_split(one.description, labelled.dataset, "val", forward=one.engine)
        for one in (original, exported)
    ]
    limits = original.description.thresholds
    np.testing.assert_allclose(scored[1].scores, scored[0].scores, atol=1e-4)
    np.testing.assert_array_equal(scored[1].label(limits), scored[0].label(limits))


def test_an_export_of_one_label_watches_as_its_checkpoint(
    micro_single_file: Path, noise: Noise, write_lossless: WriteVideo, tmp_path: Path
) -> None:
    export_model(micro_single_file, tmp_path / "a.onnx")
    video = write_lossless(tmp_path / "a.mp4", noise(200, 16, 20, 0))
    camera = CameraSettings(name="a", source=str(video), detector="none")
    events = []
    for recognizer in (
        Recognizer.load(micro_single_file, engine="torch"),
        Recognizer.load(tmp_path / "a.onnx"),
    ):
        watcher = Watcher(recognizer, camera, events=EventSettings(offset_ratio=1.0))
        assert watcher.rule.task == "single"
        with open_footage(camera) as footage:
            messages = [m for step in watcher.watch(footage) for m in step.messages]
        ended = [message.event for message in messages if message.kind == "end"]
        events.append([(e.action, e.start_seconds, e.end_seconds, e.event_id) for e in ended])
    assert events[0] == events[1]
    assert len({action for action, *_ in events[0]}) > 1
    for (*_, end, _), (_, start, *_) in pairwise(events[0]):
        assert end <= start


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_other_logits_are_refused(
    micro_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, precision: str
) -> None:
    monkeypatch.setitem(export.MAX_DIFFERENCE, precision, -1.0)
    (tmp_path / "model.xml").write_text("old")
    with pytest.raises(ExportError, match=r"model\.xml: its logits differ by .*nothing is written"):
        export_model(micro_file, tmp_path / "model.xml", precision)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_logits_that_are_not_numbers_are_refused(
    micro_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "TorchEngine", lambda *_, **__: lambda clips: clips.sum() * np.nan)
    monkeypatch.setattr(torch, "cat", lambda tensors: torch.full((8, 3), float("nan")))
    with pytest.raises(ExportError, match="its logits differ by nan"):
        export_model(micro_file, tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_other_classes_are_refused_before_anything_is_converted(
    micro_checkpoint: Checkpoint,
    labelled: LabelledClips,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    labels = LabelSet.from_names(["a", "b", "c"])
    model = tmp_path / "other.safetensors"
    save_checkpoint(replace(micro_checkpoint, labels=labels), model)
    monkeypatch.setattr(export, "write_onnx", None)
    with pytest.raises(DataError, match="its 3 classes are not the model's 3, or come in another"):
        export_model(model, tmp_path / "new" / "model.xml", "int8", labelled)
    assert list(tmp_path.iterdir()) == [model]


def test_a_loss_of_f1_is_refused(
    micro_file: Path, labelled: LabelledClips, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "_compare_f1", lambda *_: (80.0, 78.9))
    with pytest.raises(ExportError, match=r"macro F1 is 78\.90 instead of 80\.00, more than 1\.0"):
        export_model(micro_file, tmp_path / "model.xml", "int8", labelled)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "precision", "message"),
    [
        ("model.pt", "fp32", "name a file that ends with .onnx or .xml"),
        ("model.xml", "int8", "give a data set with --data"),
        ("model.onnx", "int8", "engine 'onnx' does not compute in int8: use engine 'openvino'"),
    ],
)
def test_what_cannot_be_exported(
    micro_file: Path, tmp_path: Path, name: str, precision: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        export_model(micro_file, tmp_path / name, precision)
    assert list(tmp_path.iterdir()) == []


def test_an_export_runs_in_its_own_way_only(micro_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.xml"
    export_model(micro_file, path)
    with pytest.raises(ConfigError, match="runs in engine 'openvino', not in 'torch'"):
        load_model(path, engine="torch")
    with pytest.raises(ConfigError, match="was exported for fp32; export it again for int8"):
        load_model(path, precision="int8")
    path.with_suffix(".bin").unlink()
    with pytest.raises(CheckpointError, match=r"model\.bin: missing"):
        load_model(path)
