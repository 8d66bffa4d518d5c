"""Inflated layers and networks on a clip that stands still, against the 2-D ones on its picture."""

import pytest
import torch
from torch import nn
from torchvision.models import resnet18, squeezenet1_1

from lilliput.models.inflate import inflate, inflate_weight, pad_time

LAYERS = [
    nn.Conv2d(3, 4, 3, padding=1),
    nn.Conv2d(3, 4, 7, stride=2, padding=3, bias=False),
    nn.Conv2d(4, 4, (3, 5), stride=(1, 2), padding=(0, 1), dilation=(2, 1), groups=2),
    nn.Conv2d(4, 2, 1, stride=2),
    nn.MaxPool2d(3, stride=2, padding=1),
    nn.MaxPool2d(3, stride=2, ceil_mode=True),
    nn.MaxPool2d(2),
    nn.AvgPool2d(3, stride=2, padding=1),
    nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False),
    nn.AvgPool2d(2, ceil_mode=True),
    nn.AdaptiveAvgPool2d(1),
    nn.AdaptiveAvgPool2d((3, 2)),
    nn.BatchNorm2d(4, eps=0.01),
]


def still(picture: torch.Tensor, num_frames: int = 7) -> torch.Tensor:
    return picture[:, :, None].expand(-1, -1, num_frames, -1, -1)


@pytest.mark.parametrize("num_frames", [1, 2, 7, 8])
@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_every_frame_of_a_still_clip_is_the_2d_response(layer: nn.Module, num_frames: int) -> None:
    torch.manual_seed(0)
    layer = nn.Sequential(layer).double().eval()
    if isinstance(layer[0], nn.BatchNorm2d):
        for tensor in layer.state_dict().values():
            if tensor.is_floating_point():
                tensor.uniform_(0.5, 2)
    channels = layer[0].in_channels if isinstance(layer[0], nn.Conv2d) else 4
    picture = torch.randn(2, channels, 11, 14, dtype=torch.float64)
    expected = layer(picture)
    clips = inflate(layer)(still(picture, num_frames))
    stride = getattr(layer[0], "stride", 1)
    stride = stride if isinstance(stride, int) else stride[0]
    adaptive = isinstance(layer[0], nn.AdaptiveAvgPool2d)
    assert clips.shape[2] == (1 if adaptive else -(-num_frames // stride))
    torch.testing.assert_close(clips, still(expected, clips.shape[2]), rtol=1e-12, atol=1e-12)


def test_weights_are_repeated_and_divided() -> None:
    weight = torch.arange(8.0).reshape(2, 1, 2, 2)
    inflated = inflate_weight(weight, 4)
    assert inflated.shape == (2, 1, 4, 2, 2)
    for time in range(4):
        torch.testing.assert_close(inflated[:, :, time], weight / 4)


@pytest.mark.parametrize(
    ("frames", "kernel", "stride", "padded"),
    [
        ("abcd", 1, 1, "abcd"),
        ("abcd", 3, 1, "aabcdd"),
        ("abcd", 5, 1, "aaabcddd"),
        ("abcd", 3, 2, "aabcd"),  # around a: a(a)b; around c: b(c)d
        ("abc", 3, 2, "aabcc"),
        ("abcdefgh", 7, 2, "aaaabcdefghhh"),
        ("abcd", 2, 2, "abcd"),
        ("abc", 2, 2, "abcc"),
        ("a", 7, 2, "aaaaaaa"),
    ],
)
def test_time_is_padded_by_repeating_the_ends(
    frames: str, kernel: int, stride: int, padded: str
) -> None:
    clip = torch.tensor([float(ord(letter)) for letter in frames]).reshape(1, 1, -1, 1, 1)
    output = pad_time(clip, kernel, stride)
    assert "".join(chr(int(value)) for value in output.flatten()) == padded


def test_a_moving_clip_is_convolved_as_by_hand() -> None:
    """A 1 x 1 picture: the inflated 3 x 3 filter averages three frames, the ends repeated."""
    layer = nn.Conv2d(1, 1, 3, padding=1, bias=False)
    nn.init.constant_(layer.weight, 6.0)
    clip = torch.tensor([1.0, 2.0, 6.0]).reshape(1, 1, 3, 1, 1)
    expected = torch.tensor([6 * (1 + 1 + 2) / 3, 6 * (1 + 2 + 6) / 3, 6 * (2 + 6 + 6) / 3])
    torch.testing.assert_close(inflate(layer)(clip).flatten(), expected)


@pytest.mark.parametrize("build", [resnet18, squeezenet1_1])
def test_any_2d_net_can_be_inflated(build: object) -> None:
    torch.manual_seed(0)
    flat = build(num_classes=5).eval().double()  # type: ignore[operator]
    deep = inflate(flat)
    picture = torch.randn(2, 3, 48, 40, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(deep(still(picture, 9)), flat(picture), rtol=1e-10, atol=1e-12)
    assert list(deep.state_dict()) == list(flat.state_dict())
    assert deep.state_dict()[next(iter(flat.state_dict()))].ndim == 5


def test_the_2d_net_is_left_alone() -> None:
    flat = nn.Sequential(nn.Conv2d(3, 2, 3), nn.BatchNorm2d(2))
    inflate(flat)[1].weight.data.zero_()
    assert flat(torch.zeros(1, 3, 4, 4)).shape == (1, 2, 2, 2)
    assert flat[1].weight.tolist() == [1, 1]


@pytest.mark.parametrize("training", [True, False])
def test_mode_and_type_stay(training: bool) -> None:
    flat = nn.Sequential(nn.Conv2d(3, 2, 3), nn.BatchNorm2d(2, affine=False)).double()
    deep = inflate(flat.train(training))
    assert {module.training for module in deep.modules()} == {training}
    assert {t.dtype for t in deep.state_dict().values()} == {torch.float64, torch.int64}


def test_a_rule_sets_time_layer_by_layer() -> None:
    flat = nn.Sequential(nn.Conv2d(1, 1, 3), nn.Sequential(nn.Conv2d(1, 1, 3, stride=2)))
    deep = inflate(flat, lambda name, layer: {"0": (5, 2), "1.0": (1, 1)}[name])
    assert deep[0].kernel_size == (5, 3, 3) and deep[0].stride == (2, 1, 1)
    assert deep[1][0].kernel_size == (1, 3, 3) and deep[1][0].stride == (1, 2, 2)


@pytest.mark.parametrize(
    "layer",
    [
        nn.AdaptiveMaxPool2d(1),
        nn.Conv2d(1, 1, 3, padding="same"),
        nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect"),
    ],
    ids=str,
)
def test_what_cannot_be_inflated_is_refused(layer: nn.Module) -> None:
    with pytest.raises(TypeError, match="cannot inflate"):
        inflate(nn.Sequential(layer))
