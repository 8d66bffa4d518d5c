"""``lilliput watch``: who did what, when and where, in footage of any length."""

import json
import re
import shlex
import signal
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from lilliput.cli.options import Detector, Model
from lilliput.cli.output import messages
from lilliput.errors import ConfigError

if TYPE_CHECKING:
    from lilliput.inference.recognizer import Recognizer
    from lilliput.watch.cameras import CameraSettings, WatchSettings
    from lilliput.watch.events import Event, Step
    from lilliput.watch.session import Channel, Watched
    from lilliput.watch.uncertain import UncertainClips

_COLUMNS = (
    TextColumn("{task.description}"),
    BarColumn(),
    TextColumn("{task.fields[facts]}"),
    TimeRemainingColumn(),
)


class Format(StrEnum):
    """What events are written as, beside the log."""

    CSV = "csv"
    AVA = "ava"
    ACTEV = "actev"
    VTT = "vtt"
    VIDEO = "video"
    REPORT = "report"


def watch(
    model: Model,
    sources: Annotated[
        list[str] | None,
        typer.Argument(help="Videos, folders of them, rtsp:// addresses, or devices."),
    ] = None,
    settings: Annotated[
        Path | None,
        typer.Option(help="A TOML file: cameras with zones and alerts, windows, events."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Every camera and file gets a folder in it.")] = Path(
        "watched"
    ),
    write: Annotated[
        list[Format] | None,
        typer.Option(help="What to write beside events.jsonl; may be repeated. [report]"),
    ] = None,
    detector: Annotated[
        Detector | None,
        typer.Option(help="motion; people; or none, for the whole picture [motion]."),
    ] = None,
    database: Annotated[
        str | None, typer.Option(help="Store events: a file for SQLite, or postgresql://…")
    ] = None,
    mqtt: Annotated[
        str | None, typer.Option(help="Publish events: mqtt://user:password@host/prefix")
    ] = None,
    save_crops: Annotated[
        Path | None,
        typer.Option(help="Save clips the model is unsure of, for labelling and `train`."),
    ] = None,
    blur: Annotated[bool, typer.Option("--blur", help="Hide people in every picture.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where an earlier run was stopped.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Events as JSON lines on stdout, as they happen.")
    ] = False,
    engine: Annotated[str, typer.Option(help="torch, onnx, openvino or auto.")] = "auto",
) -> None:
    """Watch footage: write who did what, when and where."""
    from lilliput.watch.cameras import WatchSettings, read_watch_settings
    from lilliput.watch.session import Outputs, Session

    chosen = WatchSettings() if settings is None else read_watch_settings(settings)
    cameras = _cameras(sources or [], chosen, detector)
    recognizer = _load(model, engine, chosen)
    outputs = Outputs(
        folder=out,
        formats=tuple(name.value for name in (write or [Format.REPORT])),
        channels=tuple(_channels(database, mqtt, as_json)),
        resume=resume,
        blur=blur,
        uncertain=_uncertain(save_crops, recognizer, chosen),
    )
    # What a service manager ends a service with ends this as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with Progress(*_COLUMNS, console=messages, transient=True) as bar:
        session = Session(recognizer, chosen, outputs, ProgressLines(bar))
        try:
            results = session.run(cameras)
        except KeyboardInterrupt:
            _print_stopped(out)
            raise typer.Exit(130) from None
        finally:
            for channel in outputs.channels:
                channel.close()
    _print_results(results)


def _cameras(
    sources: list[str], settings: "WatchSettings", detector: Detector | None
) -> list["CameraSettings"]:
    """Those of the settings, or one for each file or address."""
    from lilliput.watch.cameras import CameraSettings
    from lilliput.watch.footage import find_footage

    if bool(sources) == bool(settings.cameras):
        raise ConfigError(
            "give SOURCES or --settings with cameras, not both"
            if sources
            else "nothing to watch: give a video, a folder, an address or --settings with cameras"
        )
    cameras = list(settings.cameras)
    names: Counter[str] = Counter()
    for source in find_footage(sources):
        name = camera_name(source)
        names[name] += 1
        unique = name if names[name] == 1 else f"{name}-{names[name]}"
        cameras.append(CameraSettings(name=unique, source=source))
    if detector is None:
        return cameras
    return [camera.model_copy(update={"detector": detector.value}) for camera in cameras]


def camera_name(source: str) -> str:
    """A name for a camera that has none: its file's, or its address' without the password."""
    if "://" in source:
        address = source.partition("://")[2].rpartition("@")[2]
        name = re.split(r"[?#]", address)[0]
    else:
        name = Path(source).stem
    return re.sub(r"[^\w-]+", "_", name).strip("_")[:60] or "camera"


def _load(model: str, engine: str, settings: "WatchSettings") -> "Recognizer":
    from lilliput.inference.recognizer import Recognizer

    recognizer = Recognizer.load(model, engine=engine)
    settings.check_classes(recognizer.description.labels.class_names)
    if recognizer.note:
        messages.print(f"note: {recognizer.note}", style="yellow", markup=False)
    return recognizer


def _channels(database: str | None, mqtt: str | None, as_json: bool) -> Iterator["Channel"]:
    if database is not None:
        from lilliput.watch.database import DatabaseWriter, EventStore

        yield DatabaseWriter(EventStore(database))
    if mqtt is not None:
        from lilliput.watch.mqtt import MqttPublisher

        yield MqttPublisher(mqtt)
    yield NewsLines(as_json)


def _uncertain(
    folder: Path | None, recognizer: "Recognizer", settings: "WatchSettings"
) -> "UncertainClips | None":
    if folder is None:
        return None
    from lilliput.watch.uncertain import UncertainClips

    return UncertainClips(folder, recognizer.description, settings.events)


class NewsLines:
    """Tells of every event that is over, and of every alert; a channel of ``Session``.

    Args:
        as_json: JSON lines on stdout, with the beginnings and updates of events too.
    """

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json

    def write(self, step: "Step") -> None:
        """Prints the news of one step."""
        from lilliput.watch.records import to_record

        for message in step.messages:
            if self._as_json:
                self._print_json(type=message.kind, event=to_record(message.event))
            elif message.kind == "end":
                messages.print(_describe(message.event), markup=False, highlight=False)
        for alert in step.alerts:
            if self._as_json:
                self._print_json(type="alert", rule=alert.rule, event=to_record(alert.event))
            else:
                line = f"ALERT {alert.rule}: {_describe(alert.event)}"
                messages.print(line, style="bold red", markup=False, highlight=False)

    def close(self) -> None:
        """There is nothing to close."""

    def _print_json(self, **values: object) -> None:
        print(json.dumps(values, ensure_ascii=False), flush=True)


class ProgressLines:
    """Shows how far each camera is, and how many times faster than real time that went.

    Args:
        bar: Where.
    """

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._tasks: dict[str, TaskID] = {}
        self._lock = threading.Lock()

    def __call__(self, watched: "Watched") -> None:
        """Shows the state of one camera."""
        with self._lock:
            if watched.camera not in self._tasks:
                self._tasks[watched.camera] = self._bar.add_task(watched.camera, facts="")
        facts = f"{watched.seconds:.0f} s, {watched.speed:.1f}x, {watched.num_events} events"
        if watched.num_dropped:
            facts += f", {watched.num_dropped} frames dropped"
        self._bar.update(
            self._tasks[watched.camera],
            completed=watched.seconds,
            total=watched.duration_seconds,
            facts=facts,
        )


def _describe(event: "Event") -> str:
    when = f"{event.start_seconds:.1f} to {event.end_seconds:.1f} s"
    if event.started_at is not None and event.ended_at is not None:
        when = f"{event.started_at:%Y-%m-%d %H:%M:%S} to {event.ended_at:%H:%M:%S}"
    who = f", track {event.track}" if event.track else ""
    where = f" in {', '.join(event.zones)}" if event.zones else ""
    return f"{event.camera}: {when}{who}: {event.action}{where} ({event.score:.2f})"


def _print_results(results: list["Watched"]) -> None:
    for watched in results:
        if watched.error is not None:
            _print(f"{watched.camera}: could not be watched: {watched.error}", "red")
            continue
        if watched.was_finished:
            _print(f"{watched.camera}: watched before, {watched.num_events} events")
            continue
        dropped = f", {watched.num_dropped} frames dropped" if watched.num_dropped else ""
        _print(
            f"{watched.camera}: {watched.num_events} events in {watched.seconds:.1f} s of footage, "
            f"watched {watched.speed:.1f}x as fast as it lasts{dropped}"
        )
        for note in watched.notes:
            _print(f"  note: {note}", "yellow")
        for path in watched.paths:
            _print(f"  {path}")
    failed = sum(watched.error is not None for watched in results)
    if failed:
        _print(f"{failed} of {len(results)} sources could not be watched; see above", "red")
        raise typer.Exit(2)


def _print_stopped(out: Path) -> None:
    command = shlex.join(["lilliput", *(word for word in sys.argv[1:] if word != "--resume")])
    _print(f"stopped; what was told is kept in {out}. Go on with:\n  {command} --resume")


def _print(line: str, style: str | None = None) -> None:
    messages.print(line, style=style, markup=False, highlight=False, soft_wrap=True)
