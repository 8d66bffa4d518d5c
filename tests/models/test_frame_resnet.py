"""FrameResNet against a plain loop over the frames through torchvision's net."""

import pytest
import torch
from torchvision.models import resnet18, resnet34, resnet50

from lilliput.errors import ConfigError
from lilliput.models.frame_resnet import FrameResNet


@pytest.mark.parametrize(("depth", "reference"), [(18, resnet18), (34, resnet34), (50, resnet50)])
def test_equals_a_loop_over_the_frames(depth: int, reference: object) -> None:
    torch.manual_seed(0)
    flat = reference(num_classes=4).double().eval()  # type: ignore[operator]
    model = FrameResNet(4, depth=depth, dropout=0.3).double().eval()
    model.net.load_state_dict(flat.state_dict())
    clips = torch.randn(2, 3, 5, 20, 16, dtype=torch.float64)
    with torch.no_grad():
        expected = sum(flat(clips[:, :, time]) for time in range(5)) / 5
        torch.testing.assert_close(model(clips), expected)


def test_the_order_of_frames_does_not_matter() -> None:
    torch.manual_seed(0)
    model = FrameResNet(4).double().eval()
    clips = torch.randn(1, 3, 4, 14, 14, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(model(clips), model(clips[:, :, [2, 0, 3, 1]]))


def test_unknown_depth_is_refused() -> None:
    with pytest.raises(ConfigError, match="18, 34, 50, 101 or 152"):
        FrameResNet(4, depth=20)
