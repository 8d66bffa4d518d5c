"""A pyramid of images is the bare network at every scale."""

import pytest
import torch
from torch.nn import functional as F

from lilliput.models.heads import Classifier, LinearHead
from lilliput.models.image_pyramid import ImagePyramid
from lilliput.models.resnet3d import ResNet3d


@pytest.mark.parametrize("merge", ["sum", "mean", "max"])
@torch.no_grad()
def test_equals_the_bare_network_scale_by_scale(merge: str) -> None:
    torch.manual_seed(0)
    backbone, head = ResNet3d(width=4), LinearHead(32, 3)
    bare = Classifier(backbone, head).double().eval()
    pyramid = ImagePyramid(backbone, head, input_sizes=(14, 28, 56), merge=merge).eval()  # type: ignore[arg-type]
    clips = torch.randn(2, 3, 4, 56, 56, dtype=torch.float64)
    frames = clips.transpose(1, 2).flatten(0, 1)
    scales = []
    for size in (14, 28, 56):
        small = F.adaptive_avg_pool2d(frames, size).unflatten(0, (2, 4)).transpose(1, 2)
        scales.append(bare(small))
    logits, branches = pyramid.forward_branches(clips)
    torch.testing.assert_close(branches, torch.stack(scales))
    expected = {
        "sum": scales[0] + scales[1] + scales[2],
        "mean": (scales[0] + scales[1] + scales[2]) / 3,
        "max": torch.maximum(torch.maximum(scales[0], scales[1]), scales[2]),
    }
    torch.testing.assert_close(logits, expected[merge])
    torch.testing.assert_close(pyramid(clips), logits)


def test_scales_share_every_weight() -> None:
    backbone, head = ResNet3d(width=4), LinearHead(32, 3)
    pyramid = ImagePyramid(backbone, head, input_sizes=(14, 28))
    assert len(list(pyramid.parameters())) == len(list(Classifier(backbone, head).parameters()))
