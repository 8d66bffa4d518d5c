"""The multi-scale net against the backbones it is made of."""

import pytest
import torch

from lilliput.models.heads import Classifier
from lilliput.models.multiscale import MultiScaleResNet3d, SummedStreamsHead
from lilliput.models.multiscale_fpn import ConcatenatedStreams
from lilliput.models.resize import resize_to
from lilliput.models.resnet3d import ResNet3d, adapted_strides

SIZES = (14, 28, 56)


def _streams(**options: object) -> MultiScaleResNet3d:
    torch.manual_seed(0)
    return MultiScaleResNet3d(SIZES, width=4, **options).double().eval()


@pytest.mark.parametrize("lateral", ["adjacent", "all"])
@pytest.mark.parametrize("adapted", [True, False])
@pytest.mark.parametrize("depth", [18, 50])
def test_without_laterals_it_is_the_sum_of_its_backbones(
    depth: int, adapted: bool, lateral: str
) -> None:
    streams = _streams(depth=depth, adapted=adapted, lateral=lateral)
    head = SummedStreamsHead(streams.out_channels[-1], 3).double()
    model = Classifier(streams, head)
    clips = torch.randn(2, 3, 8, 56, 56, dtype=torch.float64)
    pooled = torch.zeros(2, streams.out_channels[-1], dtype=torch.float64)
    for size, stream in zip(SIZES, streams.streams, strict=True):
        strides = adapted_strides(size) if adapted else (2, 2, 2, 2, 2)
        alone = ResNet3d(depth=depth, width=4, spatial_strides=strides).double().eval()
        state = alone.state_dict()
        for name, weight in stream.state_dict().items():
            own = state[name].shape[1] if weight.ndim == 5 else None
            if own is not None and weight.shape[1] > own:
                weight[:, own:] = 0  # what comes from larger streams
                weight = weight[:, :own]
            state[name] = weight.clone()
        alone.load_state_dict(state)
        smaller = torch.nn.functional.adaptive_avg_pool3d(clips, (8, size, size))
        pooled += alone(smaller)[-1].mean(dim=(2, 3, 4))
    torch.testing.assert_close(model(clips), head.fc(pooled))


@pytest.mark.parametrize(("lateral", "channels"), [("adjacent", (8, 8, 4)), ("all", (12, 8, 4))])
def test_a_stream_receives_from_larger_ones_only(lateral: str, channels: tuple[int, ...]) -> None:
    streams = _streams(lateral=lateral)
    assert tuple(s.layer2[0].conv1.in_channels for s in streams.streams) == channels
    clips = torch.randn(1, 3, 4, 56, 56, dtype=torch.float64)
    before = streams(clips)
    with torch.no_grad():
        streams.streams[1].conv1.weight.mul_(2)
        streams.streams[1].layer1[0].conv1.weight.mul_(-1)
    after = streams(clips)
    for stage in range(4):
        assert torch.equal(after[2][stage], before[2][stage])  # nothing flows to the larger
        assert not torch.equal(after[1][stage], before[1][stage])
    assert torch.equal(after[0][0], before[0][0])  # laterals start after stage 1
    assert not torch.equal(after[0][1], before[0][1])


def test_all_lets_the_largest_reach_the_smallest_directly() -> None:
    assert list(_streams(lateral="adjacent").donors(0)) == [1]
    assert list(_streams(lateral="all").donors(0)) == [1, 2]
    assert list(_streams(lateral="all").donors(2)) == []


def test_adapted_streams_all_end_on_seven_by_seven() -> None:
    maps = _streams(adapted=True)(torch.zeros(1, 3, 16, 56, 56, dtype=torch.float64))
    assert [[m.shape[-1] for m in stream] for stream in maps] == [
        [14, 14, 14, 7],
        [28, 28, 14, 7],
        [56, 28, 14, 7],
    ]
    assert {stream[-1].shape[-3:] for stream in maps} == {(1, 7, 7)}


def test_summing_pooled_maps_is_pooling_the_summed_maps() -> None:
    streams = _streams(adapted=True)
    head = SummedStreamsHead(streams.out_channels[-1], 3).double()
    maps = streams(torch.randn(2, 3, 16, 56, 56, dtype=torch.float64))
    total = sum(stream[-1] for stream in maps)
    torch.testing.assert_close(head(maps)[0], head.fc(total.mean(dim=(2, 3, 4))))


def test_concatenated_streams_are_those_maps_in_the_largest_size() -> None:
    streams = _streams(adapted=True)
    backbone = ConcatenatedStreams(streams)
    clips = torch.randn(1, 3, 4, 56, 56, dtype=torch.float64)
    maps, separate = backbone(clips), streams(clips)
    assert tuple(m.shape[1] for m in maps) == backbone.out_channels == (12, 24, 48, 96)
    assert [m.shape[-1] for m in maps] == [56, 28, 14, 7]
    torch.testing.assert_close(maps[0][:, 8:], separate[2][0])
    for frame in range(separate[0][0].shape[2]):
        enlarged = torch.nn.functional.interpolate(
            separate[0][0][:, :, frame], (56, 56), mode="bilinear"
        )
        torch.testing.assert_close(maps[0][:, :4, frame], enlarged)


def test_resize_averages_where_sizes_divide_and_interpolates_where_not() -> None:
    features = torch.arange(16.0).reshape(1, 1, 1, 4, 4)
    halved = resize_to(features, (2, 2))
    assert halved.flatten().tolist() == [2.5, 4.5, 10.5, 12.5]
    assert resize_to(features, (4, 4)) is features
    expected = torch.nn.functional.interpolate(features[:, :, 0], (3, 3), mode="bilinear")
    torch.testing.assert_close(resize_to(features, (3, 3))[:, :, 0], expected)
