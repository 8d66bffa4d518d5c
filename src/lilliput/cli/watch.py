"""``lilliput watch``: who did what, when and where, in footage of any length."""

import re
import signal
from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from lilliput.cli.options import Detector
from lilliput.cli.output import messages
from lilliput.cli.watch_lines import NewsLines, ProgressLines, print_line
from lilliput.errors import ConfigError, DataError

if TYPE_CHECKING:
    from lilliput.inference.recognizer import Recognizer
    from lilliput.watch.cameras import CameraSettings, WatchSettings
    from lilliput.watch.outputs import Channel, Watched
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
    model_and_sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[MODEL] SOURCES...",
            help="A checkpoint, a run folder, an export or a shipped model's name [people]; then "
            "videos, folders of them, rtsp:// addresses, or devices.",
        ),
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
    from lilliput.inference.naming import split_model
    from lilliput.watch.cameras import WatchSettings, read_watch_settings
    from lilliput.watch.outputs import Outputs
    from lilliput.watch.session import Session

    chosen = WatchSettings() if settings is None else read_watch_settings(settings)
    model, sources = split_model(model_and_sources or [])
    cameras = _cameras(sources, chosen, detector, out)
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
            _close(outputs.channels)
    _print_results(results)


def _cameras(
    sources: list[str], settings: "WatchSettings", detector: Detector | None, out: Path
) -> list["CameraSettings"]:
    """Those of the settings, or one for each file or address that does not lie in ``out``."""
    from lilliput.watch.cameras import CameraSettings
    from lilliput.watch.footage import find_footage

    if bool(sources) == bool(settings.cameras):
        raise ConfigError(
            "give SOURCES or --settings with cameras, not both"
            if sources
            else "nothing to watch: give a video, a folder, an address or --settings with cameras"
        )
    cameras = list(settings.cameras)
    taken: set[str] = set()
    for source in find_footage(sources):
        if Path(source).absolute().is_relative_to(out.absolute()):
            continue  # an annotated video of an earlier run
        name = camera_name(source)
        numbered = (f"{name}-{number}" for number in count(2))
        unique = next(free for free in chain([name], numbered) if free.casefold() not in taken)
        taken.add(unique.casefold())
        # A file's name may be no UTF-8, which no validated text can be.
        shown = source.encode(errors="backslashreplace").decode()
        camera = CameraSettings(name=unique, source=shown)
        cameras.append(camera.model_copy(update={"source": source}))
    if detector is None:
        return cameras
    return [camera.model_copy(update={"detector": detector.value}) for camera in cameras]


def camera_name(source: str) -> str:
    """A name for a camera that has none: its file's, or its address' without the password."""
    from lilliput.video.source import Source

    if "://" in source:
        name = re.split(r"[?#]", Source.parse(source).shown.partition("://")[2])[0]
    else:
        name = Path(source).stem
    return re.sub(r"[^\w-]+", "_", name).strip("_-")[:50] or "camera"  # leaves room for a number


def _load(model: str, engine: str, settings: "WatchSettings") -> "Recognizer":
    from lilliput.inference.recognizer import Recognizer

    recognizer = Recognizer.load(model, engine=engine)
    settings.check_classes(recognizer.description.labels.class_names)
    if recognizer.note:
        messages.print(f"note: {recognizer.note}", style="yellow", markup=False)
    return recognizer


def _close(channels: Sequence["Channel"]) -> None:
    for channel in channels:
        try:
            channel.close()
        except DataError as error:  # others want to be closed as well
            print_line(f"note: {error}", "yellow")


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


def _print_results(results: list["Watched"]) -> None:
    for watched in results:
        if watched.error is not None:
            continue  # told when it happened
        if watched.was_finished:
            print_line(f"{watched.camera}: watched before, {watched.num_events} events")
            continue
        dropped = f", {watched.num_dropped} frames dropped" if watched.num_dropped else ""
        print_line(
            f"{watched.camera}: {watched.num_events} events in {watched.seconds:.1f} s of footage, "
            f"watched {watched.speed:.1f}x as fast as it lasts{dropped}"
        )
        for path in watched.paths:
            print_line(f"  {path}")
    failed = sum(watched.error is not None for watched in results)
    if failed:
        print_line(f"{failed} of {len(results)} sources could not be watched; see above", "red")
        raise typer.Exit(2)


def _print_stopped(out: Path) -> None:
    # The command itself is not repeated: it may hold passwords, and this may go to a log.
    print_line(f"stopped; what was told is kept in {out}. Go on with the same command and --resume")
