"""The learned front ends: flow and warping by hand, and what each lets through."""

import pytest
import torch
from torch import nn

from lilliput.models.super_resolution.basicvsr import BasicVsr
from lilliput.models.super_resolution.discriminator import SpatioTemporalDiscriminator
from lilliput.models.super_resolution.flow import (
    CoarseToFineFlow,
    resize_flow,
    warp,
    warping_error,
)
from lilliput.models.super_resolution.interpolation import Interpolation
from lilliput.models.super_resolution.sof_vsr import SofVsr


@pytest.fixture(params=[BasicVsr, SofVsr])
def enlarge(request: pytest.FixtureRequest) -> nn.Module:
    torch.manual_seed(0)
    module: nn.Module = request.param(2)
    return module.eval()


def test_warping_moves_by_whole_and_half_pixels() -> None:
    pictures = torch.arange(12.0).view(1, 1, 3, 4)
    flow = torch.zeros(1, 2, 3, 4)
    flow[:, 0] = 1  # one px to the right
    expected = torch.cat([pictures[..., 1:], pictures[..., -1:]], dim=-1)  # the edge stays
    torch.testing.assert_close(warp(pictures, flow), expected)
    flow[:, 0], flow[:, 1] = 0, 0.5
    expected = (pictures[..., :2, :] + pictures[..., 1:, :]) / 2
    torch.testing.assert_close(warp(pictures, flow)[..., :2, :], expected)


def test_warping_keeps_fractions_in_half_precision() -> None:
    pictures = torch.rand(1, 2, 40, 40).bfloat16()
    flow = torch.full((1, 2, 40, 40), 0.25)
    torch.testing.assert_close(
        warp(pictures, flow), warp(pictures.float(), flow).bfloat16(), rtol=0.01, atol=0.01
    )


def test_flow_grows_with_its_picture() -> None:
    flow = torch.ones(1, 2, 4, 5)
    larger = resize_flow(flow, 8, 15)
    assert larger.shape == (1, 2, 8, 15)
    torch.testing.assert_close(larger.mean(dim=(0, 2, 3)), torch.tensor([3.0, 2.0]))


def test_flows_between_neighbors_are_those_of_each_pair() -> None:
    torch.manual_seed(0)
    net = CoarseToFineFlow()
    clips = torch.rand(2, 3, 4, 14, 16)
    with torch.no_grad():
        onward, back = net.between_neighbors(clips)
        assert onward.shape == back.shape == (2, 3, 2, 14, 16)
        torch.testing.assert_close(onward[:, 1], net(clips[:, :, 2], clips[:, :, 1]))
        torch.testing.assert_close(back[:, 1], net(clips[:, :, 1], clips[:, :, 2]))


def test_the_warping_error_is_least_at_the_true_flow() -> None:
    scene = Interpolation(4)(torch.rand(1, 3, 1, 6, 6, generator=torch.Generator().manual_seed(0)))
    # All moves one px to the left, so that a frame lies one px further right in the one before.
    clips = torch.cat([scene[..., :20], scene[..., 1:21]], dim=2)
    right = torch.tensor([1.0, 0.0]).view(1, 1, 2, 1, 1).expand(1, 1, 2, 24, 20)
    errors = [
        float(warping_error(clips, (factor * right, -factor * right))) for factor in (0, 0.5, 1, 2)
    ]
    assert errors[2] == min(errors)
    assert errors[2] < errors[0] / 5  # the edge cannot be known
    assert float(warping_error(clips[:, :, :1], (right[:, :0], right[:, :0]))) == 0


def test_untrained_it_interpolates(enlarge: nn.Module) -> None:
    clips = torch.rand(1, 3, 5, 14, 14)
    with torch.no_grad():
        torch.testing.assert_close(enlarge(clips), Interpolation(2)(clips), atol=0.05, rtol=0)


def test_dark_clips_are_enlarged_as_bright_ones_are(enlarge: nn.Module) -> None:
    nn.init.normal_(enlarge.reconstruction.last.weight, std=0.1)
    clips = torch.rand(1, 3, 3, 14, 14, dtype=torch.float64)
    with torch.no_grad():
        bright, dark = (enlarge.double()(each) for each in (clips, clips * 0.2 + 0.01))
    torch.testing.assert_close(dark, bright * 0.2 + 0.01, atol=2e-3, rtol=0)


def test_it_is_small(enlarge: nn.Module) -> None:
    assert sum(weight.numel() for weight in enlarge.parameters()) < 1_000_000


def test_how_far_each_frame_is_seen(enlarge: nn.Module) -> None:
    """Recurrence carries a frame through the whole clip, both ways; a window of three does not."""
    clips = torch.rand(1, 3, 6, 14, 14, dtype=torch.float64, requires_grad=True)
    enlarge.double()(clips)[:, :, 2].sum().backward()
    seen = (clips.grad.abs().sum(dim=(0, 1, 3, 4)) > 0).tolist()
    expected = {BasicVsr: [True] * 6, SofVsr: [False, True, True, True, False, False]}
    assert seen == expected[type(enlarge)]


def test_clips_may_be_of_one_frame(enlarge: nn.Module) -> None:
    assert enlarge(torch.rand(2, 3, 1, 14, 14)).shape == (2, 3, 1, 28, 28)


def test_a_phase_of_the_flow_gives_a_pixel_of_the_draft() -> None:
    """With a known fine flow, each quarter of the draft is the neighbor warped by its phase."""
    torch.manual_seed(0)
    module = SofVsr(2)
    nn.init.zeros_(module.refine[-1].weight)
    module.refine[-1].bias.data = torch.arange(8.0) / 4  # phases of x: 0 to 0.75; of y: 1 to 1.75
    frames, neighbors = torch.rand(2, 1, 3, 6, 6).unbind()
    draft = module._draft(frames, neighbors, torch.zeros(1, 2, 6, 6))
    for phase in range(4):
        flow = torch.tensor([phase / 4, 1 + phase / 4]).view(1, 2, 1, 1).expand(1, 2, 6, 6)
        torch.testing.assert_close(draft[:, 3 * phase : 3 * phase + 3], warp(neighbors, flow))


def test_the_discriminator_sees_flicker() -> None:
    torch.manual_seed(0)
    net = SpatioTemporalDiscriminator(channels=4)
    clips = torch.rand(2, 3, 5, 16, 16)
    flows = (torch.zeros(2, 4, 2, 8, 8),) * 2
    logits = net(clips, clips, flows)
    assert logits.shape == (6,)
    other = clips.clone()
    other[:, :, 4] += 0.1
    changed = (net(other, clips, flows) != logits).view(2, 3)
    assert changed.tolist() == [[False, False, True]] * 2
