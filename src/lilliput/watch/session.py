"""Watching cameras and files to the end, or until someone stops it, and writing what is seen."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import replace

from lilliput.errors import LilliputError, VideoError
from lilliput.inference.recognizer import Recognizer
from lilliput.video.source import Source
from lilliput.watch.cameras import CameraSettings, WatchSettings
from lilliput.watch.events import Step
from lilliput.watch.footage import Footage, open_footage
from lilliput.watch.live import Patience
from lilliput.watch.log import EventLog
from lilliput.watch.outputs import Outputs, Watched
from lilliput.watch.pipeline import Watcher
from lilliput.watch.writers import WRITERS, EventWriter, Output

logger = logging.getLogger(__name__)


class Session:
    """Watches cameras: files one after the other, all live ones at once.

    Args:
        recognizer: The model.
        settings: How scores become events.
        outputs: What is written.
        report: Called after every step, note and error, from several threads.
        patience: With live sources; None takes the usual.
    """

    def __init__(
        self,
        recognizer: Recognizer,
        settings: WatchSettings,
        outputs: Outputs,
        report: Callable[[Watched], None],
        *,
        patience: Patience | None = None,
    ) -> None:
        self._recognizer = recognizer
        self._settings = settings
        self._outputs = outputs
        self._report = report
        self._patience = patience
        self._stop = threading.Event()
        self._lock = threading.Lock()  # of the channels, and of what is open
        self._open: set[Footage] = set()

    def run(self, cameras: Sequence[CameraSettings]) -> list[Watched]:
        """Watches until all footage has ended; ``KeyboardInterrupt`` ends it in good order.

        A camera that cannot be watched is told in its result, and ends no other.
        """
        sources = map(_source_of, cameras)
        at_once = len(cameras) if any(source and source.is_live for source in sources) else 1
        with ThreadPoolExecutor(at_once, thread_name_prefix="watch") as pool:
            futures = [pool.submit(self._watch, camera) for camera in cameras]
            try:
                wait(futures)
            except KeyboardInterrupt:
                self.stop()
                raise
        return [future.result() for future in futures]

    def stop(self) -> None:
        """Ends the watching: of live sources the open events are told to be over."""
        self._stop.set()
        with self._lock:
            for footage in self._open:
                if footage.is_live:  # which may be silent just now
                    footage.close()

    def _watch(self, camera: CameraSettings) -> Watched:
        source = _source_of(camera)
        watched = Watched(camera.name, "" if source is None else source.shown)
        if self._stop.is_set():
            return watched
        try:
            watcher = self._build_watcher(camera)
            with open_footage(
                watcher.camera, patience=self._patience, tell=lambda _: self._report(watched)
            ) as footage:
                self._watch_footage(watcher, footage, watched)
        except (LilliputError, OSError) as error:  # OSError: a full disk, say
            watched.error = str(error)
        except Exception as error:  # whatever strange footage sets off ends no other camera
            logger.exception("camera '%s' failed", camera.name)
            watched.error = f"internal error ({type(error).__name__}); the log tells more"
        if watched.error is not None:
            self._report(watched)
        return watched

    def _watch_footage(self, watcher: Watcher, footage: Footage, watched: Watched) -> None:
        watched.source, watched.notes = footage.source, footage.notes
        folder = self._outputs.folder / footage.camera
        identity = watcher.identity(footage)
        resume = self._outputs.resume
        with EventLog(folder / "events.jsonl", resume=resume, identity=identity) as log:
            watched.num_events = len(log)
            if log.is_finished and not footage.is_live:
                watched.was_finished = True
                return
            with self._lock:
                self._open.add(footage)
            if self._stop.is_set():  # before it was known to be open
                footage.close()
            try:
                self._report(watched)  # a live source may have a note already, and no frame
                self._write_steps(watcher, footage, log, watched)
            finally:
                with self._lock:
                    self._open.discard(footage)

    def _write_steps(
        self, watcher: Watcher, footage: Footage, log: EventLog, watched: Watched
    ) -> None:
        watched.duration_seconds = footage.duration_seconds
        known = log.event_ids
        began = time.monotonic()
        is_whole = False
        with ExitStack() as closing:
            writers = self._open_writers(watcher, footage, log)
            for writer in reversed(writers):
                closing.callback(writer.close)
            watched.paths = [path for writer in writers for path in writer.paths]
            for step in watcher.watch(footage):
                if self._stop.is_set() and not footage.is_live:
                    break  # the open events of a file come out whole when it is resumed
                for writer in writers:
                    writer.write(step)
                self._tell(step, known, watched)
                is_whole = step.scene is None
                if step.scene is not None:
                    watched.seconds = step.scene.frame.seconds + 1 / footage.fps
                watched.elapsed_seconds = time.monotonic() - began
                watched.num_events, watched.num_dropped = len(log), footage.num_dropped
                self._report(watched)
        if is_whole:
            log.finish(watched.seconds)

    def _build_watcher(self, camera: CameraSettings) -> Watcher:
        settings, outputs = self._settings, self._outputs
        return Watcher(
            self._recognizer,
            camera,
            events=settings.events,
            windows=settings.windows,
            blur=outputs.blur,
            inspect=None if outputs.uncertain is None else outputs.uncertain.of(camera.name),
        )

    def _open_writers(self, watcher: Watcher, footage: Footage, log: EventLog) -> list[EventWriter]:
        output = Output(
            folder=log.path.parent,
            log=log,
            camera=footage.camera,
            source=footage.source,
            fps=footage.fps,
            size=footage.size,
            duration_seconds=footage.duration_seconds,
            class_names=watcher.class_names,
            starts_at=footage.starts_at,
        )
        names = dict.fromkeys(("jsonl", *self._outputs.formats))  # the log first
        return [WRITERS[name](output) for name in names]

    def _tell(self, step: Step, known: frozenset[str], watched: Watched) -> None:
        """Passes on what no earlier run has told."""
        fresh = replace(
            step,
            messages=tuple(m for m in step.messages if m.event.event_id not in known),
            alerts=tuple(a for a in step.alerts if a.event.event_id not in known),
        )
        with self._lock:
            for channel in self._outputs.channels:
                try:
                    channel.write(fresh)
                except LilliputError as error:  # a database that is gone; the log has the events
                    if str(error) not in watched.notes:
                        watched.notes.append(str(error))


def _source_of(camera: CameraSettings) -> Source | None:
    try:
        return Source.parse(camera.source)
    except VideoError:
        return None  # told when it is opened
