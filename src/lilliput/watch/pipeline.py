"""Footage to events: decode, detect, track, crop, recognise, smooth, tell.

Every stage takes a stream and yields one, so memory does not grow with the footage::

    frames -> scenes -> windows -> scores -> messages
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator

from lilliput.inference.recognizer import Recognizer
from lilliput.watch.actions import EventRule
from lilliput.watch.alerts import AlertRules
from lilliput.watch.blur import blur_people
from lilliput.watch.cameras import CameraSettings, WatchSettings
from lilliput.watch.cuts import mark_cuts
from lilliput.watch.detectors import Detector, build_detector
from lilliput.watch.events import Step, WindowScores
from lilliput.watch.footage import Footage
from lilliput.watch.scene import Box, Frame, Scene, TrackedBox
from lilliput.watch.settings import EventSettings, WindowSettings
from lilliput.watch.timeline import WHOLE_FRAME, Timeline, View
from lilliput.watch.tracking import COAST_SECONDS, Tracker
from lilliput.watch.windows import TrackWindow, WindowCutter, recognise
from lilliput.watch.zones import Regions

_OUTAGE_SECONDS = 10.0  # without a frame; a slow machine may well drop a few seconds
_RANDOM_CLIPS_FPS = 30.0  # of training; random clips are neighbouring frames, as close as then


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _ignore(_window: TrackWindow, _scores: WindowScores) -> None:
    """Nobody wants to see the windows."""


class Watcher:
    """Watches one camera, or one file after the other as if it were one.

    Args:
        recognizer: The model.
        camera: Zones, masks, classes to keep, detector, alert rules.
        events: How scores become events.
        windows: What the recogniser sees.
        blur: Hide people in the scenes of the steps; they are recognised from the clear picture.
        inspect: Called with every window and its scores, such as to save uncertain ones.

    Attributes:
        camera: The same, with the frame rate that suits the model.
        class_names: (K,) in the order of the scores.
        rule: How scores become events, for this model and camera.
        windows: What the recogniser sees.

    Raises:
        ConfigError: A setting names a class that the model does not know, or the detector needs a
            package that is not there.
    """

    def __init__(
        self,
        recognizer: Recognizer,
        camera: CameraSettings,
        *,
        events: EventSettings | None = None,
        windows: WindowSettings | None = None,
        blur: bool = False,
        inspect: Callable[[TrackWindow, WindowScores], None] | None = None,
    ) -> None:
        self._recognizer = recognizer
        if camera.max_fps is None and recognizer.description.config.sampling.method == "random":
            camera = camera.model_copy(update={"max_fps": _RANDOM_CLIPS_FPS})
        self.camera = camera
        self.windows = windows or WindowSettings()
        self._blur = blur
        self._inspect = inspect or _ignore
        description = recognizer.description
        self.class_names = description.labels.class_names
        settings = events or EventSettings()
        named = WatchSettings.model_construct(events=settings, cameras=(camera,))
        named.check_classes(self.class_names)
        kept = camera.classes or self.class_names
        self.rule = EventRule(
            settings.onsets_of(self.class_names, description.thresholds),
            settings,
            description.task,
            frozenset(k for k, name in enumerate(self.class_names) if name not in kept),
        )

    def identity(self, footage: Footage) -> dict[str, object]:
        """What decides about the events of a footage, as plain values that can be compared."""
        camera = self.camera.model_dump_json(exclude={"source", "alerts"})
        settings = "\n".join(
            (camera, self.rule.settings.model_dump_json(), self.windows.model_dump_json())
        )
        return {
            "model": _digest(self._recognizer.description.to_json()),
            "settings": _digest(settings),
            "footage": None if footage.is_live else [*footage.size, footage.duration_seconds],
        }

    def watch(self, footage: Footage) -> Iterator[Step]:
        """One step for each frame, and a last one.

        Raises:
            VideoError: The footage cannot be read.
        """
        regions = Regions(self.camera, footage.size)
        if self.camera.detector == "none":
            scenes: Iterator[Scene] = _whole_frames(mark_cuts(footage), footage.fps)
        else:
            detect = build_detector(self.camera.detector)
            scenes = _follow(mark_cuts(footage), footage.fps, detect, regions)
        length = self.windows.window_seconds or self._recognizer.window_seconds
        hop = self.windows.hop_seconds or length / 2
        cutter = WindowCutter(length, hop, self.windows.context, 1 / footage.fps)
        timeline = Timeline(self._view(footage, regions))
        rules = AlertRules(self.camera)
        for made, scores in recognise(cutter(scenes), self._recognizer):
            messages = tuple(timeline.add(made, scores))
            for window, found in zip(made.windows, scores, strict=True):
                self._inspect(window, found)
            yield Step(
                blur_people(made.scene) if self._blur and made.scene is not None else made.scene,
                scores,
                messages,
                tuple(alert for message in messages for alert in rules(message)),
                timeline.settled_seconds,
            )

    def _view(self, footage: Footage, regions: Regions) -> View:
        return View(
            camera=footage.camera,
            source=footage.source,
            size=footage.size,
            fps=footage.fps,
            regions=regions,
            class_names=self.class_names,
            rule=self.rule,
            is_live=footage.is_live,
        )


def _whole_frames(frames: Iterable[Frame], fps: float) -> Iterator[Scene]:
    """The picture as one track, for sensors that see one person or too few pixels to find any.

    The track ends with an outage, as nobody knows what went on meanwhile, and with a cut.
    """
    last = 0.0
    for frame in frames:
        height, width = frame.pixels.shape[:2]
        is_back = frame.seconds - last > max(_OUTAGE_SECONDS, 3 / fps)
        last = frame.seconds
        if is_back or frame.is_cut:
            yield Scene(frame, (), None)
        else:
            yield Scene(frame, (TrackedBox(WHOLE_FRAME, Box(0, 0, width, height)),))


def _follow(
    frames: Iterable[Frame], fps: float, detect: Detector, regions: Regions
) -> Iterator[Scene]:
    track = Tracker(fps)
    last, behind = 0.0, 0.0
    for frame in frames:
        behind += (frame.seconds - last) * fps  # frames the tracker was not told of
        last = frame.seconds
        missing = max(0, round(behind) - 1)
        behind = max(behind - missing - 1, -0.5)
        found = detect(frame)
        kept = [detection for detection in found or () if regions.keeps(detection.box)]
        # Frames that were dropped are taken to have shown the same, or nobody would be seen long
        # enough; after an outage or a cut those who come may be others.
        forgotten = round(2 * COAST_SECONDS * fps) + 1  # calls without anybody that end all tracks
        is_back = frame.is_cut or missing > COAST_SECONDS * fps
        for _ in range(forgotten if is_back else missing):
            track(() if is_back else kept)
        yield Scene(frame, tuple(track(kept)), None if found is None else tuple(found))
