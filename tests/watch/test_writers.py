"""The formats that are text; each is read by a second source."""

import csv
import html
import json
import re
from pathlib import Path

import jsonschema
import pytest

from lilliput.errors import DataError
from lilliput.watch.scene import Box
from lilliput.watch.writers import WRITERS
from lilliput.watch.writers.boxes import box_at, mean_box
from tests.watch.staged import CLASSES, actor, event, output_in, steps_of, write

ODD = event(6.2, 6.8, action=CLASSES[2], track=4, score=0.123456, zones=())
WHOLE = event(0.0, 3.0, boxes=(), track=0, action="running", started_at=None, ended_at=None)
EVENTS = [event(1.0, 4.4), ODD, WHOLE]


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_every_writer_makes_its_files_and_no_others(name: str, tmp_path: Path) -> None:
    output = output_in(tmp_path)
    writer = WRITERS[name](output)
    for step in steps_of([], 0.2):
        writer.write(step)
    writer.close()
    output.log.close()
    made = {path.name for path in tmp_path.iterdir()} - {"events.jsonl", "events.finished.json"}
    assert made == {path.name for path in writer.paths} - {"events.jsonl"}
    assert all(path.parent == tmp_path for path in writer.paths)


def test_a_file_that_cannot_be_completed_leaves_the_old_one(tmp_path: Path) -> None:
    write(["csv"], [event(1, 2)], tmp_path / "a")
    old = (tmp_path / "a" / "events.csv").read_text()
    (tmp_path / "a" / "events.jsonl").write_text("damaged\n")
    writer = WRITERS["csv"](output_in(tmp_path / "b"))
    writer.output.log.path.write_text("damaged\n")  # type: ignore[attr-defined]
    (tmp_path / "b" / "events.csv").write_text(old)
    with pytest.raises(DataError):
        writer.close()
    writer.output.log.close()  # type: ignore[attr-defined]
    assert (tmp_path / "b" / "events.csv").read_text() == old
    assert sorted(path.name for path in (tmp_path / "b").iterdir()) == [
        "events.csv",
        "events.jsonl",
    ]


def test_boxes_between_those_of_an_event() -> None:
    one = event(1.0, 3.0)  # boxes at 1.0, 1.5, … of an actor that moves evenly
    assert box_at(one, 1.0) == actor(1.0)
    assert box_at(one, 1.7) == pytest.approx(actor(1.7))
    assert box_at(one, 0.0) == actor(1.0)
    assert box_at(one, 9.0) == actor(3.0)
    assert mean_box(one) == pytest.approx(actor(2.0))
    assert box_at(WHOLE, 1.0) is None
    assert mean_box(WHOLE) is None


def test_csv(tmp_path: Path) -> None:
    write(["csv"], EVENTS, tmp_path)
    with (tmp_path / "events.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["event_id"]: row for row in csv.DictReader(file)}
    assert len(rows) == 3
    # The mean of boxes at 1.0, 1.5, … 4.0 is the one at 2.5: 20 px/s from (20, 100).
    assert rows["e1-4.4"] == {
        "event_id": "e1-4.4",
        "camera": "gate",
        "source": "videos/gate 7.mp4",
        "track": "3",
        "action": "walking",
        "score": "0.75",
        "start_frame": "10",
        "end_frame": "44",
        "start_seconds": "1.0",
        "end_seconds": "4.4",
        "started_at": "2024-05-01T12:00:01+00:00",
        "ended_at": "2024-05-01T12:00:04.400000+00:00",
        "zones": "road|kerb",
        "left": "70.0",
        "top": "100.0",
        "right": "100.0",
        "bottom": "180.0",
    }
    assert rows["e6.2-6.8"]["action"] == CLASSES[2]
    whole = rows["e0-3"]
    assert [whole[key] for key in ("left", "bottom", "started_at")] == ["", "", ""]


def test_ava(tmp_path: Path) -> None:
    write(["ava"], EVENTS, tmp_path)
    rows = [line.split(",") for line in (tmp_path / "ava.csv").read_text().splitlines()]
    # By hand: at t seconds the actor is (20+20t, 100, 50+20t, 180) in a picture of 320 × 240.
    # 6.2 to 6.8 holds no whole second; its middle, 6.5, rounds to the even 6; its boxes are held
    # before the first, at 6.2: (144, 100, 174, 180).
    assert rows == [
        ["gate 7", "0000", "0.0000", "0.0000", "1.0000", "1.0000", "2", "0.7500"],
        ["gate 7", "0001", "0.0000", "0.0000", "1.0000", "1.0000", "2", "0.7500"],
        ["gate 7", "0002", "0.0000", "0.0000", "1.0000", "1.0000", "2", "0.7500"],
        ["gate 7", "0003", "0.0000", "0.0000", "1.0000", "1.0000", "2", "0.7500"],
        ["gate 7", "0001", "0.1250", "0.4167", "0.2188", "0.7500", "1", "0.7500"],
        ["gate 7", "0002", "0.1875", "0.4167", "0.2812", "0.7500", "1", "0.7500"],
        ["gate 7", "0003", "0.2500", "0.4167", "0.3438", "0.7500", "1", "0.7500"],
        ["gate 7", "0004", "0.3125", "0.4167", "0.4062", "0.7500", "1", "0.7500"],
        ["gate 7", "0006", "0.4500", "0.4167", "0.5437", "0.7500", "3", "0.1235"],
    ]
    items = re.findall(
        r'item \{\n  name: ("(?:[^"\\]|\\.)*")\n  id: (\d+)\n\}\n',
        (tmp_path / "ava_labels.pbtxt").read_text(),
    )
    assert [(json.loads(name), int(number)) for name, number in items] == [
        (name, number) for number, name in enumerate(CLASSES, start=1)
    ]


def test_ava_boxes_stay_in_the_picture_and_classes_in_the_model(tmp_path: Path) -> None:
    outside = event(1, 1)
    outside = event(1, 1, boxes=(outside.boxes[0]._replace(box=Box(-5, -8, 400, 500)),))
    write(["ava"], [outside], tmp_path / "a")
    [row] = (tmp_path / "a" / "ava.csv").read_text().splitlines()
    assert row.split(",")[2:6] == ["0.0000", "0.0000", "1.0000", "1.0000"]
    with pytest.raises(DataError, match="flying is no class of this model"):
        write(["ava"], [event(1, 2, action="flying")], tmp_path / "b")


FILE_NAME = r"^[A-Za-z0-9_.\-]+$"
FRAME = r"^[0-9]+$"


def _map(pattern: str, content: dict[str, object], **limits: int) -> dict[str, object]:
    return {
        "type": "object",
        "patternProperties": {pattern: content},
        "additionalProperties": False,
        **limits,
    }


def _record(**properties: dict[str, object]) -> dict[str, object]:
    return {"type": "object", "properties": properties, "required": list(properties)}


WHOLE_NUMBER: dict[str, object] = {"type": "integer"}
NUMBER: dict[str, object] = {"type": "number"}
TEXT: dict[str, object] = {"type": "string"}
ONE_FILE = {"minProperties": 1, "maxProperties": 1}
BOX = _record(**dict.fromkeys("xywh", WHOLE_NUMBER)) | {"additionalProperties": False}
# The published structure, in our words: activities with objects, and a report of the files.
ACTEV = _record(
    filesProcessed={"type": "array", "items": {"type": "string", "pattern": FILE_NAME}},
    processingReport=_record(
        fileStatuses=_map(
            FILE_NAME, _record(status={"enum": ["success", "fail"]}, message=TEXT), minProperties=1
        )
    ),
    activities={
        "type": "array",
        "items": _record(
            activity=TEXT,
            activityID=WHOLE_NUMBER,
            presenceConf=NUMBER,
            localization=_map(
                FILE_NAME,
                _map(FRAME, {"enum": [0, 1], "type": "integer"}, minProperties=2),
                **ONE_FILE,
            ),
            objects={
                "type": "array",
                "items": _record(
                    objectType=TEXT,
                    objectID=WHOLE_NUMBER,
                    localization=_map(
                        FILE_NAME,
                        _map(
                            FRAME,
                            {
                                "type": "object",
                                "oneOf": [
                                    _record(presenceConf=NUMBER, boundingBox=BOX),
                                    {"maxProperties": 0},
                                ],
                            },
                            minProperties=2,
                        ),
                        **ONE_FILE,
                    ),
                ),
            },
        ),
    },
)


def test_actev(tmp_path: Path) -> None:
    write(["actev"], EVENTS, tmp_path)
    document = json.loads((tmp_path / "actev.json").read_text())
    jsonschema.validate(document, ACTEV)
    assert document["filesProcessed"] == ["gate_7.mp4"]
    whole, walking, odd = document["activities"]
    assert [one["activityID"] for one in document["activities"]] == [1, 2, 3]
    # Frames 10 to 44 from 0 are 11 to 45 from 1; off is the first one after them.
    assert walking["activity"] == "walking"
    assert walking["localization"] == {"gate_7.mp4": {"11": 1, "46": 0}}
    [person] = walking["objects"]
    signal = person["localization"]["gate_7.mp4"]
    assert (person["objectType"], person["objectID"]) == ("person", 3)
    assert list(signal) == ["11", "16", "21", "26", "31", "36", "41", "46"]
    assert signal["16"] == {
        "presenceConf": 0.75,
        "boundingBox": {"x": 50, "y": 100, "w": 30, "h": 80},
    }
    assert signal["46"] == {}
    assert whole["objects"] == []
    assert odd["activity"] == CLASSES[2]
    files = json.loads((tmp_path / "actev_file_index.json").read_text())
    assert files == {"gate_7.mp4": {"framerate": 10.0, "selected": {"1": 1, "121": 0}}}
    index = json.loads((tmp_path / "actev_activity_index.json").read_text())
    assert list(index) == list(CLASSES)


def test_actev_of_an_address_and_of_vehicles(tmp_path: Path) -> None:
    output = output_in(tmp_path, source="rtsp://host/")
    output.log.add(event(0, 1, action="vehicle_turning_left"))
    WRITERS["actev"](output).close()
    output.log.close()
    document = json.loads((tmp_path / "actev.json").read_text())
    jsonschema.validate(document, ACTEV)
    assert document["activities"][0]["objects"][0]["objectType"] == "vehicle"


def _cues(text: str) -> list[tuple[float, float, str]]:
    """A reader of the part of WebVTT that we write, by its grammar."""
    signature, *blocks = text.rstrip("\n").split("\n\n")
    assert signature == "WEBVTT"
    cues = []
    for block in blocks:
        timing, content = block.split("\n")
        match = re.fullmatch(
            r"(\d{2,}):([0-5]\d):([0-5]\d\.\d{3}) --> (\d{2,}):([0-5]\d):([0-5]\d\.\d{3})", timing
        )
        assert match is not None
        assert "-->" not in content
        assert re.search(r"[<>]|&(?!amp;|lt;|gt;)", content) is None
        start, end = (
            3600 * int(h) + 60 * int(m) + float(s)
            for h, m, s in (match.groups()[:3], match.groups()[3:])
        )
        cues.append((start, end, html.unescape(content)))
    return cues


def test_vtt(tmp_path: Path) -> None:
    late = event(5.0, 5.0, action="a --> b\n\nc")
    write(["vtt"], [*EVENTS, late], tmp_path)
    cues = _cues((tmp_path / "events.vtt").read_text(encoding="utf-8"))
    assert cues == [
        (0.0, 3.0, "running · 0.75"),
        (1.0, 4.4, "walking · track 3 · 0.75"),
        (5.0, 5.001, "a --> b c · track 3 · 0.75"),
        (6.2, 6.8, f"{CLASSES[2]} · track 4 · 0.12"),
    ]


def test_vtt_of_more_than_an_hour(tmp_path: Path) -> None:
    output = output_in(tmp_path)
    output.log.add(event(0, 1, start_seconds=3661.0, end_seconds=360000.0, boxes=()))
    WRITERS["vtt"](output).close()
    output.log.close()
    assert "\n01:01:01.000 --> 100:00:00.000\n" in (tmp_path / "events.vtt").read_text()
