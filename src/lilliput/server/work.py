"""What the jobs do: recognise the actions in a clip, or watch a video."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any

import torch

from lilliput.inference.engines import Engine
from lilliput.inference.recognizer import Recognizer
from lilliput.server.job import Job
from lilliput.server.results import Results
from lilliput.server.settings import DETECTOR_NAMES
from lilliput.server.uploads import Upload
from lilliput.video.screening import Screened, TooLongError
from lilliput.watch.actions import EventRule
from lilliput.watch.events import Step

CAMERA = "upload"  # the camera's name in the events of uploaded videos


@dataclass(frozen=True)
class Watched:
    """A video that is being watched.

    Attributes:
        size: Width and height of its frames as they are shown, px.
        class_names: (K,) names.
        rule: How scores become events.
        steps: What each frame brings.
    """

    size: tuple[int, int]
    class_names: tuple[str, ...]
    rule: EventRule
    steps: Iterator[Step]


Watch = Callable[[Recognizer, Path, str], AbstractContextManager[Watched]]


@contextmanager
def watch_file(recognizer: Recognizer, path: Path, detector: str) -> Iterator[Watched]:
    """Watches a file as ``lilliput watch`` does.

    Raises:
        VideoError: It cannot be read.
        ConfigError: The detector needs a package that is missing.
    """
    from lilliput.watch.cameras import CameraSettings
    from lilliput.watch.footage import open_footage
    from lilliput.watch.pipeline import Watcher

    camera = CameraSettings.model_validate(
        {"name": CAMERA, "source": str(path), "detector": detector}
    )
    watcher = Watcher(recognizer, camera)
    with open_footage(watcher.camera) as footage:
        steps = watcher.watch(footage)
        yield Watched(footage.size, watcher.class_names, watcher.rule, steps)


def find_detectors() -> tuple[str, ...]:
    """The detectors whose packages are installed."""
    from lilliput.watch.detectors.people import PACKAGE

    can_see_people = all(find_spec(package) is not None for package in ("openvino", PACKAGE))
    return tuple(name for name in DETECTOR_NAMES if name != "people" or can_see_people)


class SharedEngine:
    """One engine for all jobs: one clip at a time, as not every engine can do two at once.

    Args:
        engine: The engine.
        lock: Held while it computes.
        check: Called before each clip; raises once the job shall stop.
    """

    def __init__(self, engine: Engine, lock: Lock, check: Callable[[], None]) -> None:
        self.name, self.precision = engine.name, engine.precision
        self.device, self.note = engine.device, engine.note
        self._engine, self._lock, self._check = engine, lock, check

    def __call__(self, clips: torch.Tensor) -> torch.Tensor:
        """Logits (N, K) of clips (N, 3, T, H, W)."""
        self._check()
        with self._lock:
            return self._engine(clips)


def share(recognizer: Recognizer, lock: Lock, check: Callable[[], None]) -> Recognizer:
    """A recogniser for one job, on the engine of all."""
    engine = SharedEngine(recognizer.engine, lock, check)
    return Recognizer(recognizer.description, engine, window_seconds=recognizer.window_seconds)


def recognize(recognizer: Recognizer, upload: Upload) -> dict[str, Any]:
    """The answer to ``/v1/recognize``.

    Raises:
        VideoError: The upload cannot be decoded.
    """
    found = recognizer.predict(upload.path).to_dict()
    del found["source"]
    return found


def watch(
    job: Job,
    viewing: AbstractContextManager[Watched],
    upload: Upload,
    screened: Screened,
    max_seconds: float,
) -> tuple[dict[str, Any], Results]:
    """The result of a ``/v1/watch`` job, and what it was made of.

    Progress and events are told meanwhile.

    Raises:
        VideoError: The upload cannot be decoded, or decodes to more than it declares.
        StoppedError: The job shall stop.
    """
    results = Results(upload.name)
    begun = time.monotonic()
    with viewing as watched:
        for step in watched.steps:
            job.check()
            if step.scene is not None:
                seconds = step.scene.frame.seconds
                if seconds > max_seconds + 1:
                    raise TooLongError(f"{upload.path} lasts longer than {max_seconds:g} seconds")
                speed = seconds / max(1e-6, time.monotonic() - begun)
                job.tell(seconds / max(1e-6, screened.duration_seconds), round(speed, 2))
            for kind, record in results.add(step):
                job.news.tell_latest("event", {"kind": kind, "event": record}, record["event_id"])
        return _describe(watched, screened) | results.to_dict(), results


def _describe(watched: Watched, screened: Screened) -> dict[str, Any]:
    width, height = watched.size
    return {
        "video": {
            "width": width,
            "height": height,
            "fps": round(screened.fps, 3),
            "duration_seconds": round(screened.duration_seconds, 3),
            "num_frames": screened.num_frames,
        },
        "task": watched.rule.task,
        "class_names": list(watched.class_names),
        "thresholds": list(watched.rule.onsets),
        "settings": watched.rule.settings.model_dump(exclude={"onset", "least_onset"}),
    }
