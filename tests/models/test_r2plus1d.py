"""The R(2+1)D backbone against torchvision's whole net with the same weights."""

import torch
from torchvision.models.video import r2plus1d_18

from lilliput.models.heads import Classifier, LinearHead
from lilliput.models.r2plus1d import R2plus1d


def test_equals_torchvisions_net_under_its_names() -> None:
    torch.manual_seed(0)
    reference = r2plus1d_18(num_classes=5).eval()
    state = reference.state_dict()
    backbone = R2plus1d()
    head = LinearHead(512, 5)
    head.fc.load_state_dict({"weight": state.pop("fc.weight"), "bias": state.pop("fc.bias")})
    backbone.load_state_dict(state)
    clips = torch.randn(2, 3, 8, 28, 28)
    with torch.no_grad():
        torch.testing.assert_close(Classifier(backbone, head).eval()(clips), reference(clips))


def test_publishes_its_stage_maps() -> None:
    with torch.device("meta"):
        backbone = R2plus1d()
        stages = backbone(torch.empty(1, 3, 16, 112, 112))
    assert tuple(stage.shape[1] for stage in stages) == backbone.out_channels
    assert [tuple(stage.shape[2:]) for stage in stages] == [
        (16, 56, 56),
        (8, 28, 28),
        (4, 14, 14),
        (2, 7, 7),
    ]
