"""What a training costs: arithmetic counted on the network, divided by a machine's speed.

Only the network's arithmetic is counted. Reading, augmenting and evaluating clips come on top,
and weigh most where the network is narrow.
"""

import time
from functools import partial

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from lilliput.builders import build_model
from lilliput.config import Config
from lilliput.errors import ConfigError
from lilliput.training.precision import resolve_precision

# Published dense peaks of half-precision tensor cores, FLOP/s.
GPUS = {"h100": 989e12, "a100": 312e12, "rtx-4090": 165e12, "t4": 65e12}
# What training reaches of it: an FPN AD-ResNet18 of full width at 112 px on an H100, in eager
# mode, 281 clips/s. Narrower networks and smaller inputs reach less.
_USED_OF_PEAK = 0.08
_BACKWARD = 2  # a backward pass costs twice the forward pass
_MEASURING_SECONDS = 1.0


def clip_flops(config: Config, num_classes: int) -> float:
    """Floating-point operations of one clip's forward pass; a multiply-add is two."""
    with torch.device("meta"):  # shapes only: nothing is computed
        model = build_model(config.model, num_classes, config.sampling.num_frames).eval()
        size = config.model.clip_size
        clips = torch.empty(1, 3, config.sampling.num_frames, size, size)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(clips)
    return float(counter.get_total_flops())


def training_flops(config: Config, num_classes: int, num_train: int, num_val: int) -> float:
    """Of a whole training: every epoch learns from one split and scores the other."""
    return clip_flops(config, num_classes) * clip_passes(config, num_train, num_val)


def clip_passes(config: Config, num_train: int, num_val: int) -> int:
    """Forward passes of a clip that a whole training amounts to."""
    return ((1 + _BACKWARD) * num_train + num_val) * config.training.epochs


def gpu_rate(name: str) -> float:
    """FLOP/s of a named GPU in half precision.

    Raises:
        ConfigError: It is not in the list.
    """
    if name not in GPUS:
        raise ConfigError(f"--gpu {name}: not known; known are {', '.join(GPUS)}")
    return _USED_OF_PEAK * GPUS[name]


def measure_rate(config: Config) -> float:
    """FLOP/s that this machine reaches, measured on one convolution for about a second.

    The convolution is as wide as the network's second stage, on maps of half its input size:
    narrow ones run far below a machine's peak.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    channels, size = 2 * config.model.width, config.model.input_size // 2
    layers = nn.Sequential(
        nn.Conv3d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm3d(channels), nn.ReLU()
    )
    layers = layers.to(device, memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
    features = torch.randn(8, channels, config.sampling.num_frames, size, size, device=device)
    features = features.contiguous(memory_format=torch.channels_last_3d).requires_grad_()
    half = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(resolve_precision(config.training))
    precision = partial(torch.autocast, device.type, dtype=half, enabled=half is not None)
    with FlopCounterMode(display=False) as counter, precision():
        layers(features).sum().backward()
    rounds, started, seconds = 0, time.perf_counter(), 0.0
    while seconds < _MEASURING_SECONDS:
        with precision():
            output = layers(features).sum()
        output.backward()
        if device.type == "cuda":
            torch.cuda.synchronize()
        rounds += 1
        seconds = time.perf_counter() - started
    return float(counter.get_total_flops() * rounds / seconds)
