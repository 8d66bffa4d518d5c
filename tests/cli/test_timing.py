"""``data cut``, ``tune-events`` and ``evaluate-events``, with a model that needs no training."""

import re
from pathlib import Path

import pytest

from lilliput.config import Config
from lilliput.data import read_dataset
from lilliput.data.spans import ActionSpan, read_spans, write_spans
from lilliput.inference.recognizer import Recognizer
from lilliput.watch import tuning
from lilliput.watch.cameras import read_watch_settings
from tests.watch.bright import SIZE, BrightOrDark, whole, write_footage

CLASSES = ('a "bright.one"', "dark = \\ ünd [so]")
SPANS = [ActionSpan(10, 24, CLASSES[0]), ActionSpan(30, 49, CLASSES[1])]


@pytest.fixture(autouse=True)
def _stand_in(monkeypatch: pytest.MonkeyPatch, micro_config: Config) -> None:
    model = BrightOrDark(micro_config, CLASSES)
    monkeypatch.setattr(Recognizer, "load", lambda *_, **__: model)
    monkeypatch.setattr(tuning, "_ROUNDS", 1)


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    folder = tmp_path / "recordings"
    draw = whole((1, 2.5, 190), (3, 5, 20))  # the bright one reaches 0.48, below its threshold
    for name in ("a", "b", "c"):
        write_footage(folder / f"{name}.mp4", 6.0, draw)
    write_spans(folder / "actions.csv", dict.fromkeys("abc", SPANS))
    return folder


def test_cut_tune_and_evaluate(recordings: Path, tmp_path: Path, run_cli) -> None:
    actions = recordings / "actions.csv"
    code, out, err = run_cli(
        "data", "cut", recordings, "--actions", actions, "--out", tmp_path / "clips"
    )
    assert code == 0, err
    manifest = tmp_path / "clips" / "manifest.csv"
    assert out.strip() == f"clips: {manifest}"
    dataset = read_dataset(manifest)
    assert dataset.labels.class_names == CLASSES
    assert {split: len(clips) for split, clips in dataset.splits.items()} == {
        "train": 24,
        "val": 12,
    }
    (held_out,) = read_spans(tmp_path / "clips" / "val_actions.csv")
    assert {clip.recording for clip in dataset.splits["val"]} == {held_out}

    held = ("m", recordings, "--actions", tmp_path / "clips" / "val_actions.csv")
    windows = tmp_path / "windows.toml"
    windows.write_text("[windows]\nhop_seconds = 0.25\n")
    tuned = tmp_path / "tuned.toml"
    code, out, err = run_cli("tune-events", *held, "--settings", windows, "--out", tuned)
    assert code == 0, err
    assert "100.0 %" in out
    assert str(tuned) in re.sub(r"\s+", "", out)
    settings = read_watch_settings(tuned)
    assert settings.windows.hop_seconds == 0.25
    assert settings.windows.window_seconds is None
    assert tuple(settings.events.onset) == CLASSES
    assert settings.events.onset[CLASSES[0]] < 0.48

    _, before, _ = run_cli("evaluate-events", *held)
    code, after, err = run_cli("evaluate-events", *held, "--settings", tuned)
    assert code == 0, err
    rows = [
        {line.split("│")[1].strip(): [cell.strip() for cell in line.split("│")[2:5]]
         for line in text.splitlines() if line.startswith("│")}
        for text in (before, after)
    ]  # fmt: skip
    assert list(rows[1]) == [*CLASSES, "mean"]
    assert rows[0][CLASSES[0]][1:] == ["0.0", "0.0"]  # at the model's own threshold
    assert rows[1][CLASSES[0]][1:] == rows[1]["mean"][1:] == ["100.0", "100.0"]
    assert rows[0]["mean"][1:] == ["50.0", "50.0"]
    assert "temporal mAP, tIoU 0.3: 100.0 %" in after
    assert "temporal mAP, mean of tIoU 0.3 to 0.7: " in after


def test_actions_with_boxes(recordings: Path, tmp_path: Path, run_cli) -> None:
    boxes, settings = tmp_path / "boxes.csv", tmp_path / "settings.toml"
    head = "recording,actor,frame,left,top,right,bottom,action\n"
    rows = [f"a,1,{frame},0,0,{SIZE[0]},{SIZE[1]},dark" for frame in (30, 49)]
    boxes.write_text(head + "\n".join(rows).replace("dark", CLASSES[1]) + "\n", "utf-8")
    settings.write_text("")
    code, out, err = run_cli("evaluate-events", "m", recordings, "--boxes", boxes)
    assert code == 0, err
    assert err.strip() == "warning: --detector none takes the whole picture as every box"
    facts = dict(line.split(": ") for line in out.splitlines())
    assert list(facts) == [
        "frame mAP, IoU 0.5",
        "video mAP, IoU 0.2",
        "video mAP, IoU 0.5",
        "video mAP, mean of IoU 0.5 to 0.95",
    ]
    assert facts["video mAP, IoU 0.5"] == "100.0 %"
    boxes.write_text(boxes.read_text("utf-8") + "a,1,0,0,0,9,9,fly\n", "utf-8")
    code, out, err = run_cli("evaluate-events", "m", recordings, "--boxes", boxes)
    assert (code, out) == (2, "")
    assert "does not know the action 'fly'" in err.strip().splitlines()[-1]


@pytest.mark.parametrize("command", ["tune-events", "evaluate-events"])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"actions": "recording,start_frame\n"}, "lacks the column 'action'"),
        ({"actions": "recording,start_frame,end_frame,action\nx,0,1,dark\n"}, "recording 'x'"),
        ({"actions": "recording,start_frame,end_frame,action\na,0,1,fly\n"}, "action 'fly'"),
        ({"actions": "recording,start_frame,end_frame,action\na,2,1,fly\n"}, "line 2"),
        ({"settings": "[events]\nonset = { fly = 0.5 }\n"}, "no action 'fly'"),
        ({"settings": "[events]\nonsets = 3\n"}, "onset"),
    ],
)
def test_mistakes_are_one_line(
    recordings: Path, tmp_path: Path, run_cli, command: str, change: dict, message: str
) -> None:
    actions, settings = recordings / "actions.csv", tmp_path / "settings.toml"
    actions.write_text(change.get("actions", actions.read_text(encoding="utf-8")), "utf-8")
    settings.write_text(change.get("settings", ""))
    code, out, err = run_cli(command, "m", recordings, "--actions", actions, "--settings", settings)
    assert (code, out) == (2, "")
    (line,) = err.strip().splitlines()
    assert line.startswith("error: ")
    assert message in line


def test_cutting_into_a_full_folder(recordings: Path, run_cli) -> None:
    actions = recordings / "actions.csv"
    code, out, err = run_cli("data", "cut", recordings, "--actions", actions, "--out", recordings)
    assert (code, out) == (2, "")
    assert err.strip().splitlines() == [
        f"error: {recordings}: holds something already; give a new folder"
    ]


def test_what_is_found_can_be_written_without_a_truth(
    recordings: Path, tmp_path: Path, run_cli
) -> None:
    settings = tmp_path / "events.toml"
    settings.write_text(
        "[events]\nonset = {'a \"bright.one\"' = 0.3, 'dark = \\ ünd [so]' = 0.3}\n"
    )
    found = tmp_path / "found.csv"

    code, out, err = run_cli(
        "evaluate-events", "m", recordings, "--settings", settings, "--out", found
    )
    nothing, _, why = run_cli("evaluate-events", "m", recordings)

    assert (code, nothing) == (0, 2), err
    assert str(found) in re.sub(r"\s+", "", out) and "│" not in out
    assert found.read_text().splitlines()[0] == "recording,start_frame,end_frame,action,score"
    spans = read_spans(found)
    assert list(spans) == ["a", "b", "c"]
    for events in spans.values():
        assert [span.action for span in events] == list(CLASSES)
        for event, true in zip(events, SPANS, strict=True):
            assert abs(event.start_frame - true.start_frame) <= 6
            assert abs(event.end_frame - true.end_frame) <= 6
    assert "--actions" in why and "--out" in why
