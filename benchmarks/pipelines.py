"""Ways from a file to a training input: 16 frames, 3 x 16 x 112 x 112 float, normalised.

All draw a short side of 128 to 160 px, a crop of 112, a flip of one half, and RandAugment of 2
operations at magnitude 9. Peers take torchvision's ``v2.RandAugment``, ours are the same
operations; both draw them from the clip's number, so that all apply the same ones.
"""

import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import torch
import torchvision.transforms.functional as tvf1
from torchvision import tv_tensors
from torchvision.transforms import v2

from benchmarks.readers import (
    NUM_FRAMES,
    Reader,
    read_opencv_pictures,
    read_pyav,
    read_pyav_reformatter,
    read_torchcodec_approximate,
)
from lilliput.data import Clip
from lilliput.video.crops import RandomCrop
from lilliput.video.flips import RandomFlips
from lilliput.video.normalisation import KINETICS
from lilliput.video.rand_augment import draw_operations
from lilliput.video.sampling import random_segments
from lilliput.video.transforms import TrainingTransform

SIZE, SMALLEST, LARGEST = 112, 128, 160  # px
OPERATIONS, MAGNITUDE = 2, 9
Pipeline = Callable[[Path, int], torch.Tensor]  # a file and its number to a clip
RandAugment = Literal["input", "native", "none"]


class Ours:
    """Lilliput's reading, sampling and ``TrainingTransform``.

    Args:
        clips: Packed, or files.
        rand_augment: At the input's size as in the thesis, at the clip's native size, or none.
    """

    def __init__(self, clips: tuple[Clip, ...], rand_augment: RandAugment) -> None:
        self.clips = clips
        self.transform = TrainingTransform(
            RandomCrop(SIZE),
            KINETICS,
            flips=RandomFlips(),
            rand_augment=None if rand_augment == "none" else (OPERATIONS, MAGNITUDE),
            rand_augment_size="native" if rand_augment == "native" else "input",
        )

    def __call__(self, _: Path, number: int) -> torch.Tensor:
        """The clip of that number."""
        frames = self.clips[number].read()
        rng = np.random.default_rng(number)
        picked = frames[random_segments(len(frames), NUM_FRAMES, rng)]
        drawn = self.transform.draw(*picked.shape[-2:])
        if drawn.operations:
            same = draw_operations(OPERATIONS, MAGNITUDE, torch.Generator().manual_seed(number))
            drawn = replace(drawn, operations=same)
        return self.transform.apply([picked], [drawn])[0]


class TorchvisionV2:
    """A reader and today's v2 transforms on uint8, as torchvision's documentation advises."""

    def __init__(self, read: Reader, rand_augment: RandAugment) -> None:
        self.read = read
        self.rand_augment = _SeededRandAugment() if rand_augment != "none" else None
        self.before = v2.Compose(
            [
                v2.RandomResize(SMALLEST, LARGEST + 1, antialias=True),
                v2.RandomCrop(SIZE),
                v2.RandomHorizontalFlip(),
            ]
        )
        self.after = v2.Compose(
            [v2.ToDtype(torch.float32, scale=True), v2.Normalize(KINETICS.mean, KINETICS.std)]
        )

    def __call__(self, path: Path, number: int) -> torch.Tensor:
        """The clip of that file."""
        frames = tv_tensors.Video(self.read(path, np.random.default_rng(number)))
        frames = self.before(frames)
        if self.rand_augment is not None:
            frames = self.rand_augment(frames, number)
        return self.after(frames).transpose(0, 1).contiguous()


class TorchvisionReference:
    """The steps of torchvision's video classification reference: floats first, no antialiasing.

    Its fixed size becomes the random short side; the crop comes before RandAugment and the
    normalisation, which spares it work.
    """

    def __init__(self, read: Reader, rand_augment: RandAugment) -> None:
        self.read = read
        self.rand_augment = _SeededRandAugment() if rand_augment != "none" else None
        self.before = v2.Compose(
            [
                v2.ConvertImageDtype(torch.float32),
                v2.RandomResize(SMALLEST, LARGEST + 1, antialias=False),
                v2.RandomHorizontalFlip(),
                v2.RandomCrop(SIZE),
            ]
        )
        self.normalise = v2.Normalize(KINETICS.mean, KINETICS.std)

    def __call__(self, path: Path, number: int) -> torch.Tensor:
        """The clip of that file."""
        frames = tv_tensors.Video(self.read(path, np.random.default_rng(number)))
        frames = self.before(frames)
        if self.rand_augment is not None:
            frames = self.rand_augment(frames, number)
        return self.normalise(frames).permute(1, 0, 2, 3).contiguous()


class PyTorchVideo:
    """PyTorchVideo's reader and transforms as its classification example chains them.

    Its uniform subsample takes the place of random segments. RandAugment is torchvision's.
    """

    def __init__(self, rand_augment: RandAugment) -> None:
        # 0.1.5 imports a module that torchvision has since renamed.
        sys.modules.setdefault("torchvision.transforms.functional_tensor", tvf1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pytorchvideo import transforms as ptv
            from pytorchvideo.data.encoded_video import EncodedVideo
        self.open = EncodedVideo.from_path
        augment = _SeededRandAugment()
        steps = [
            ptv.UniformTemporalSubsample(NUM_FRAMES),
            v2.Lambda(lambda clip: clip / 255.0),
            ptv.RandomShortSideScale(SMALLEST, LARGEST),
            v2.RandomCrop(SIZE),
            v2.RandomHorizontalFlip(),
        ]
        if rand_augment != "none":
            steps.append(v2.Lambda(lambda clip: augment.channels_first(clip, self.number)))
        steps.append(ptv.Normalize(KINETICS.mean, KINETICS.std))
        self.transform = ptv.ApplyTransformToKey("video", v2.Compose(steps))
        self.number = 0

    def __call__(self, path: Path, number: int) -> torch.Tensor:
        """The clip of that file."""
        self.number = number
        video = self.open(str(path), decode_audio=False)
        clip = video.get_clip(0, video.duration)
        video.close()
        transformed: torch.Tensor = self.transform(clip)["video"]
        return transformed


class OpenCv:
    """OpenCV and numpy, RandAugment apart."""

    def __init__(self, rand_augment: RandAugment) -> None:
        self.rand_augment = _SeededRandAugment() if rand_augment != "none" else None
        self.mean = np.float32(255) * np.float32(KINETICS.mean)[:, None, None, None]
        self.scale = 1 / (np.float32(255) * np.float32(KINETICS.std))[:, None, None, None]

    def __call__(self, path: Path, number: int) -> torch.Tensor:
        """The clip of that file."""
        rng = np.random.default_rng(number)
        pictures = read_opencv_pictures(path, rng)
        short = rng.integers(SMALLEST, LARGEST + 1) / min(pictures[0].shape[:2])
        height, width = (round(side * short) for side in pictures[0].shape[:2])
        top, left = rng.integers(0, height - SIZE + 1), rng.integers(0, width - SIZE + 1)
        scaled = np.stack(
            [
                cv2.resize(picture, (width, height))[top : top + SIZE, left : left + SIZE]
                for picture in pictures
            ]
        )
        if rng.random() < 0.5:
            scaled = scaled[:, :, ::-1]
        if self.rand_augment is not None:
            frames = torch.from_numpy(np.ascontiguousarray(scaled.transpose(0, 3, 1, 2)))
            scaled = self.rand_augment(tv_tensors.Video(frames), number).numpy()
            scaled = scaled.transpose(1, 0, 2, 3)
        else:
            scaled = scaled.transpose(3, 0, 1, 2)
        clip = scaled.astype(np.float32, order="C")
        clip -= self.mean
        clip *= self.scale
        return torch.from_numpy(clip)


class _SeededRandAugment:
    """``v2.RandAugment``, with draws that depend on the clip's number alone."""

    def __init__(self) -> None:
        self.augment = v2.RandAugment(OPERATIONS, MAGNITUDE)

    def __call__(self, frames: torch.Tensor, number: int) -> torch.Tensor:
        """(T, 3, H, W) to the same."""
        torch.manual_seed(number)
        augmented: torch.Tensor = self.augment(frames)
        return augmented

    def channels_first(self, clip: torch.Tensor, number: int) -> torch.Tensor:
        """(3, T, H, W) to the same."""
        return self(tv_tensors.Video(clip.transpose(0, 1)), number).transpose(0, 1)


def peer_pipelines(rand_augment: RandAugment) -> dict[str, Callable[[], Pipeline]]:
    """What makes each peer; one may fail for want of its package."""
    return {
        "torchvision reference, PyAV every frame": lambda: TorchvisionReference(
            read_pyav, rand_augment
        ),
        "torchvision reference, torchcodec": lambda: TorchvisionReference(
            read_torchcodec_approximate, rand_augment
        ),
        "PyTorchVideo": lambda: PyTorchVideo(rand_augment),
        "PyAV reformatter and v2 transforms": lambda: TorchvisionV2(
            read_pyav_reformatter, rand_augment
        ),
        "torchcodec and v2 transforms": lambda: TorchvisionV2(
            read_torchcodec_approximate, rand_augment
        ),
        "OpenCV and numpy": lambda: OpenCv(rand_augment),
    }
