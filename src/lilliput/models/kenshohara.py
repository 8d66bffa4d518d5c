"""Files of kenshohara's code of 2018 made to fit the networks of his later code.

Of the files that he published with it, ``resnet-18-kinetics.pth`` and ``resnet-34-kinetics.pth``
have shortcut A, which has no weights; ``wideresnet-50-kinetics.pth`` has a stem of 64 channels
before bottlenecks of 128. All were trained on pixels of 0 to 255 less their mean.

Source: Hara et al., Can Spatiotemporal 3D CNNs Retrace the History of 2D CNNs and ImageNet?,
CVPR 2018.
"""

from collections.abc import Mapping

import torch

State = Mapping[str, torch.Tensor]

_DEVIATION = 255 * 0.274  # of Kinetics' pixels
_EPSILON = 1e-5  # of batch normalization


def takes_pixels(state: State) -> bool:
    """Whether a ResNet-3D's weights are among those of 2018 that nothing else looks like.

    They have Kinetics' 400 classes, and are of a wide network or without projections. Other
    files of that time, as ``resnet-101-kinetics.pth``, look like those of a later training.
    """
    inner, stem = state["layer1.0.conv1.weight"].shape[:2]
    unlike = inner == 2 * stem or not _has_projections(state)
    return unlike and "fc.bias" in state and len(state["fc.bias"]) == 400


def for_unit_deviation(state: State) -> State:
    """The same network, not for pixels of 0 to 255 but for clips of unit deviation.

    The statistics behind the first convolution change, not its weights, so that it learns on at
    the pace of the others. Means of the data sets differ by up to 0.02 of the range; that stays.
    """
    mean, variance = state["bn1.running_mean"], state["bn1.running_var"]
    scaled = {"bn1.running_mean": mean / _DEVIATION, "bn1.running_var": variance / _DEVIATION**2}
    return {**state, **scaled}


def with_projections(state: State) -> State:
    """The same network without shortcut A, where it has that: with projections that do the same."""
    return state if _has_projections(state) else {**state, **_projections(state)}


def _has_projections(state: State) -> bool:
    return any(".downsample." in name for name in state)


def _projections(state: State) -> dict[str, torch.Tensor]:
    """Shortcut A, every other position and zeros for new channels, as 1x1x1 convolutions."""
    made = {}
    for number in (1, 2, 3, 4):
        block = f"layer{number}.0"
        last = max(name for name in state if name.startswith(f"{block}.bn"))[len(block) + 3]
        channels = len(state[f"{block}.bn{last}.weight"])
        entering = state[f"{block}.conv1.weight"].shape[1]
        if number == 1 and channels == entering:
            continue
        name = f"{block}.downsample"
        made[f"{name}.0.weight"] = torch.eye(channels, entering)[:, :, None, None, None]
        made[f"{name}.1.weight"] = torch.ones(channels)
        made[f"{name}.1.bias"] = torch.zeros(channels)
        made[f"{name}.1.running_mean"] = torch.zeros(channels)
        made[f"{name}.1.running_var"] = torch.full((channels,), 1 - _EPSILON)
    return made
