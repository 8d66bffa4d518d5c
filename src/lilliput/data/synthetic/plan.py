"""Which clips a data set consists of: classes, sizes, recordings and the shift to the test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lilliput.data.synthetic.scene import KINDS, Scene
from lilliput.data.tinyvirat_classes import TINYVIRAT_CLASSES

SPLITS = ("train", "val", "test")
_CLIPS_PER_RECORDING = 6
_RECORDINGS_PER_SCENE = 2
_FIRST_SCENE = {"train": 1000, "val": 4000, "test": 7000}
_VAL_SCENES_KNOWN = 0.6  # share of val's recordings whose camera also filmed training clips
# Training clips per class in TinyVIRAT-v2 (thesis table 4.2), in the order of its class map. The
# two halves of a pair that only time order or handedness tells apart have their mean, so that
# no prior tells them apart either.
_TINYVIRAT_COUNTS = (
    201, 501, 48, 2947, 170, 689, 170, 13, 7072, 27, 184, 196, 57,
    201, 3782, 48, 162, 196, 13, 1552, 938, 24, 184, 668, 3673, 47,
)  # fmt: skip
_SMALLEST_SHARE = 0.02


@dataclass(frozen=True)
class Conditions:
    """How a split's recordings are filmed; each pair is a range.

    Attributes:
        size: Shape parameters of the beta distribution of sizes over 10 to 128 px.
        brightness: Factor on daylight.
        noise: Standard deviation of the sensor's noise, in grey levels of 255.
        blur_px: Width of an edge.
        crf: Of the compression; higher is coarser.
        kinds: Weights of the scenes' kinds.
    """

    size: tuple[float, float]
    brightness: tuple[float, float]
    noise: tuple[float, float]
    blur_px: tuple[float, float]
    crf: tuple[int, int]
    kinds: Mapping[str, float]


KNOWN = Conditions(
    size=(1.6, 1.7),
    brightness=(0.7, 1.15),
    noise=(1.0, 6.0),
    blur_px=(1.0, 2.2),
    crf=(20, 31),
    kinds={"road": 3, "parking": 3, "lawn": 2, "tiles": 2, "room": 1, "bricks": 1},
)
SHIFTED = Conditions(
    size=(1.3, 2.6),
    brightness=(0.35, 0.75),
    noise=(4.0, 12.0),
    blur_px=(1.3, 2.8),
    crf=(23, 35),
    kinds={"road": 1, "parking": 1, "lawn": 1, "tiles": 2, "room": 4, "bricks": 3},
)
CONDITIONS = {"train": KNOWN, "val": KNOWN, "test": SHIFTED}


@dataclass(frozen=True)
class Recording:
    """A stretch of footage that several clips were cut from; its conditions hold for all."""

    name: str
    scene: Scene
    brightness: float
    tint: tuple[float, float, float]
    noise: float
    flicker: float
    blur_px: float
    crf: int


@dataclass(frozen=True)
class ClipPlan:
    """All that determines one clip.

    Attributes:
        split: ``train``, ``val`` or ``test``.
        number: Position in its split.
        subject: The class whose scene is drawn; others may come to hold as well.
        size: Side in px, even because video chroma is halved.
        num_frames: Length at 30 fps.
        recording: What it was cut from.
        seed: Of everything else.
    """

    split: str
    number: int
    subject: str
    size: int
    num_frames: int
    recording: Recording
    seed: tuple[int, int, int]


def plan_dataset(num_clips: Mapping[str, int], seed: int) -> dict[str, list[ClipPlan]]:
    """Plans every clip of every split; the same seed gives the same plans."""
    plans: dict[str, list[ClipPlan]] = {}
    num_recordings = 0
    train_scenes = _num_scenes(num_clips["train"])
    for index, split in enumerate(SPLITS):
        rng = np.random.default_rng([seed, index])
        wanted = -(-num_clips[split] // _CLIPS_PER_RECORDING)
        recordings = [
            _plan_recording(rng, split, num_recordings + i, train_scenes, num_clips[split], seed)
            for i in range(wanted)
        ]
        num_recordings += wanted
        plans[split] = _plan_split(rng, split, recordings, num_clips[split], (seed, index))
    return plans


def class_quotas(num_clips: int) -> list[int]:
    """How many clips each class is the subject of: long-tailed, and the rarest still there."""
    shares = np.sqrt(_TINYVIRAT_COUNTS)
    shares = np.maximum(shares / shares.sum(), _SMALLEST_SHARE)
    exact = num_clips * shares / shares.sum()
    quotas = np.floor(exact).astype(int)
    largest_remainders = np.argsort(quotas - exact, kind="stable")
    quotas[largest_remainders[: num_clips - quotas.sum()]] += 1
    return [int(quota) for quota in quotas]


def _num_scenes(num_clips: int) -> int:
    return max(2, num_clips // (_CLIPS_PER_RECORDING * _RECORDINGS_PER_SCENE))


def _plan_recording(
    rng: np.random.Generator, split: str, number: int, train_scenes: int, clips: int, seed: int
) -> Recording:
    conditions = CONDITIONS[split]
    first, scenes = _FIRST_SCENE[split], _num_scenes(clips)
    if split == "val" and rng.random() < _VAL_SCENES_KNOWN:
        first, scenes = _FIRST_SCENE["train"], train_scenes
    scene = first + int(rng.integers(scenes))
    weights = np.array([conditions.kinds[kind] for kind in KINDS], float)
    # The kind belongs to the camera, so it must not depend on the recording.
    kind = np.random.default_rng([seed, scene, 1]).choice(list(KINDS), p=weights / weights.sum())
    name = f"SYNTHETIC_S_{scene:04d}{rng.integers(100):02d}_{number:06d}"
    return plan_recording(rng, name, Scene(seed, scene, str(kind)), conditions)


def plan_recording(
    rng: np.random.Generator, name: str, scene: Scene, conditions: Conditions
) -> Recording:
    """Draws how a recording is filmed."""
    return Recording(
        name=name,
        scene=scene,
        brightness=float(rng.uniform(*conditions.brightness)),
        tint=(float(rng.uniform(0.9, 1.1)), 1.0, float(rng.uniform(0.9, 1.1))),
        noise=float(rng.uniform(*conditions.noise)),
        flicker=float(rng.uniform(0, 0.04)),
        blur_px=float(rng.uniform(*conditions.blur_px)),
        crf=int(rng.integers(conditions.crf[0], conditions.crf[1] + 1)),
    )


def _plan_split(
    rng: np.random.Generator,
    split: str,
    recordings: list[Recording],
    num_clips: int,
    seed: tuple[int, int],
) -> list[ClipPlan]:
    subjects = np.repeat(TINYVIRAT_CLASSES, class_quotas(num_clips))
    rng.shuffle(subjects)
    sizes = 10 + 2 * np.round(59 * rng.beta(*CONDITIONS[split].size, num_clips)).astype(int)
    lengths = 24 + np.round(66 * rng.beta(2, 3, num_clips)).astype(int)
    return [
        ClipPlan(
            split=split,
            number=i,
            subject=str(subjects[i]),
            size=int(sizes[i]),
            num_frames=int(lengths[i]),
            recording=recordings[i // _CLIPS_PER_RECORDING],
            seed=(*seed, i),
        )
        for i in range(num_clips)
    ]
