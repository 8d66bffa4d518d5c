"""What can be set of watching: events, windows, cameras. Read from TOML.

::

    [events]                      # how scores become events
    smoothing_seconds = 1.0
    [windows]
    hop_seconds = 0.5
    [[camera]]
    name = "gate"
    source = "rtsp://192.0.2.7/stream"
    time_zone = "Europe/Amsterdam"
    [[camera.zone]]
    name = "road"
    polygon = [[0.0, 0.5], [1.0, 0.5], [1.0, 1.0], [0.0, 1.0]]
    [[camera.alert]]
    name = "someone runs at night"
    action = "activity_running"
    hours = "22:00-06:00"
"""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from lilliput.config.section import Section

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
SecondsOrNone = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Score = Annotated[float, Field(ge=0, le=1)]


class EventSettings(Section):
    """How the scores of a track's windows become events.

    The onset of a class is its own, or else the model's threshold, but at least ``least_onset``:
    a threshold tuned on clips is too low for footage, where most windows show nothing new.

    A class is on from where its smoothed score exceeds its onset until where it falls below its
    offset, ``offset_ratio`` times the onset. Gaps shorter than ``min_off_seconds`` are closed,
    then events shorter than ``min_on_seconds`` are left out.
    """

    smoothing_seconds: SecondsOrNone = 0.0  # width of the moving average; 0: none
    least_onset: Score = 0.3
    onset: dict[str, Score] = Field(default_factory=dict)  # others: the model's thresholds
    offset_ratio: Annotated[float, Field(gt=0, le=1)] = 0.8
    min_on_seconds: SecondsOrNone = 0.5
    min_off_seconds: SecondsOrNone = 0.5

    def onsets_of(
        self, class_names: Sequence[str], thresholds: Sequence[float]
    ) -> tuple[float, ...]:
        """(K,) of every class: its own onset, or else the model's threshold, raised."""
        pairs = zip(class_names, thresholds, strict=True)
        return tuple(
            self.onset.get(name, max(threshold, self.least_onset)) for name, threshold in pairs
        )


class WindowSettings(Section):
    """Which windows of a track the recogniser sees."""

    window_seconds: Seconds | None = None  # None: the length of the model's training clips
    hop_seconds: Seconds | None = None  # None: half a window
    context: Annotated[float, Field(ge=1, le=4)] = 1.3  # side of a crop, in sides of its content
