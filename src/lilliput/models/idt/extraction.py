"""From a clip to the descriptors of all its trajectories."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from lilliput.models.idt.descriptors import (
    describe_shape,
    describe_surroundings,
    descriptor_sizes,
)
from lilliput.models.idt.flow import Flow, camera_flow, dense_flow, import_cv2
from lilliput.models.idt.trajectories import follow, is_motion, steps_beside

_SHRINK = 2**-0.5  # from one scale to the next
_SMALLEST = 12  # px; a smaller scale is left out


@dataclass(frozen=True)
class Described:
    """The M trajectories of a clip.

    Attributes:
        descriptors: By name, (M, D).
        centers: (M, 3) their middles in time, height and width, as shares of the clip.
    """

    descriptors: Mapping[str, np.ndarray]
    centers: np.ndarray

    def __len__(self) -> int:
        return len(self.centers)


@dataclass(frozen=True, kw_only=True)
class TrajectoryExtractor:
    """Dense trajectories, improved where ``compensate_camera``, with their five descriptors.

    Source: Wang and Schmid, Action Recognition with Improved Trajectories, ICCV 2013. The paper
    also leaves out matches on people, whom a detector finds; at these sizes none does.

    Attributes:
        flow: How optical flow is computed.
        compensate_camera: Take the camera's motion out of the flow.
        length: Steps L of a trajectory; a clip of fewer has none.
        step: Distance of points at their start, px.
        patch: Side of the square that descriptors see, px.
        scales: Sizes of the picture, each 0.71 of the one before.
        min_motion: See ``is_motion``.
    """

    flow: Flow = "farneback"
    compensate_camera: bool = True
    length: int = 15
    step: int = 5
    patch: int = 16
    scales: int = 3
    min_motion: float = 0.007

    @property
    def sizes(self) -> dict[str, int]:
        """Numbers of each descriptor."""
        return descriptor_sizes(self.length)

    def __call__(self, frames: np.ndarray) -> Described:
        """Describes a clip.

        Shape:
            - frames: ``(T, H, W)`` uint8
        """
        found = []
        for scale in range(self.scales):
            size = [round(side * _SHRINK**scale) for side in frames.shape[1:]]
            if scale == 0 or min(size) >= _SMALLEST:
                found.append(self._describe(_resize(frames, size)))
        return Described(
            {
                name: np.concatenate([part.descriptors[name] for part in found])
                for name in self.sizes
            },
            np.concatenate([part.centers for part in found]),
        )

    def _describe(self, frames: np.ndarray) -> Described:
        """At one scale."""
        if len(frames) <= self.length:
            empty = {name: np.empty((0, size), np.float32) for name, size in self.sizes.items()}
            return Described(empty, np.empty((0, 3), np.float32))
        flow = dense_flow(frames, self.flow)
        camera = camera_flow(frames, flow) if self.compensate_camera else np.zeros_like(flow)
        trajectories = follow(frames, flow, length=self.length, step=self.step)
        steps = steps_beside(trajectories, camera)
        kept = is_motion(steps, min(frames.shape[1:]), min_motion=self.min_motion)
        trajectories, steps = trajectories[kept], steps[kept]
        around = describe_surroundings(frames, flow - camera, trajectories, patch=self.patch)
        middles = trajectories.paths.mean(axis=1)[:, ::-1]
        times = trajectories.starts[:, None] + self.length / 2
        extent = np.array([len(frames) - 1, *frames.shape[1:]], np.float32)
        return Described(
            {"shape": describe_shape(steps), **around},
            np.concatenate([times, middles], axis=1) / extent,
        )


def _resize(frames: np.ndarray, size: list[int]) -> np.ndarray:
    if list(frames.shape[1:]) == size:
        return frames
    cv2 = import_cv2()
    height, width = size
    return np.stack(
        [cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA) for frame in frames]
    )


def to_brightness(clip: torch.Tensor) -> np.ndarray:
    """A normalized clip as brightness whose darkest pixel is 0 and whose brightest is 255.

    So it does not matter how clips are normalized, as long as they are pictures.

    Shape:
        - clip: ``(3, T, H, W)``
        - Output: ``(T, H, W)`` uint8
    """
    brightness = clip.detach().double().mean(dim=0)
    low, high = brightness.min(), brightness.max()
    scaled = (brightness - low) * (255 / (high - low).clamp(min=1e-6))
    pixels: np.ndarray = scaled.round().to(torch.uint8).cpu().numpy()
    return pixels
