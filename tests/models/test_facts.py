import pytest
import torch
from torch import nn
from torchvision.models.video import r3d_18

from lilliput.models.facts import measure_facts
from lilliput.models.fpn import Fpn
from lilliput.models.heads import Classifier, LinearHead
from lilliput.models.multiscale import MultiScaleResNet3d, SummedStreamsHead
from lilliput.models.resnet3d import ResNet3d, adapted_strides

MIB = 2**20


class SmallNet(nn.Module):
    """Its figures can be computed by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv3d(3, 4, 3, stride=2, padding=1, bias=False)
        self.bn = nn.BatchNorm3d(4)
        self.relu = nn.ReLU(inplace=True)
        self.fc = nn.Linear(4, 5)

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        features = self.relu(self.bn(self.conv(clips)))
        return self.fc(features.mean(dim=(2, 3, 4)))


def test_a_small_net_against_a_computation_by_hand() -> None:
    facts = measure_facts(SmallNet(), (3, 4, 8, 8))
    clip, features = 3 * 4 * 8 * 8, 4 * 2 * 4 * 4  # numbers in a map
    assert facts.parameters == 4 * 3 * 27 + 2 * 4 + (4 * 5 + 5)
    assert facts.macs == features * 3 * 27 + 4 * 5
    assert facts.backbone_macs is None
    # Besides the parameters, the batch normalisation's mean and variance and its 8-byte counter.
    assert facts.weights_mib * MIB == 4 * (facts.parameters + 2 * 4) + 8
    # While batch normalisation runs: the clip, what the convolution gave, what it makes of it, and
    # the 4 means and deviations it hands back.
    assert facts.inference_mib * MIB == 4 * (clip + 2 * features + 2 * 4)
    # Clip (convolution), its output (batch normalisation), that one's output (ReLU), pooled (fc);
    # and half of the mean and variance that batch normalisation keeps of a batch of two.
    assert facts.training_mib * MIB == 4 * (clip + 2 * features + 4 + 2 * 4 / 2)
    assert facts.maps == ()


def test_training_memory_is_that_of_real_tensors() -> None:
    torch.manual_seed(0)
    model = Classifier(ResNet3d(width=4), LinearHead(32, 3, attention=False)).train()
    weights = {tensor.data_ptr() for tensor in (*model.parameters(), *model.buffers())}
    kept: dict[int, torch.Tensor] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        model(torch.randn(2, 3, 16, 28, 28))
    sizes = [kept[key].untyped_storage().nbytes() for key in kept if key not in weights]
    facts = measure_facts(model, (3, 16, 28, 28))
    assert facts.training_mib * MIB == pytest.approx(sum(sizes) / 2, rel=0.01)


def test_the_model_stays_as_it_is() -> None:
    model = SmallNet().train()
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    measure_facts(model, (3, 4, 8, 8))
    assert model.training
    assert not model._forward_hooks
    for name, weight in model.state_dict().items():
        assert torch.equal(weight, before[name])


def test_a_published_figure() -> None:
    """torchvision documents 40.70 GFLOPS (its multiply-adds) and 33,371,472 parameters."""
    with torch.device("meta"):
        model = r3d_18()
    facts = measure_facts(model, (3, 16, 112, 112))
    assert facts.macs / 1e9 == pytest.approx(40.7, abs=0.01)
    assert facts.parameters == 33_371_472


@torch.no_grad()
def test_maps_are_those_of_a_real_forward_pass() -> None:
    streams = MultiScaleResNet3d((14, 28), width=4, adapted=False)
    model = Classifier(streams, SummedStreamsHead(32, 3)).eval()
    facts = measure_facts(model, (3, 16, 28, 28))
    assert facts.groups == ("14 px stream", "28 px stream")
    for group, maps in zip(facts.groups, streams(torch.zeros(1, 3, 16, 28, 28)), strict=True):
        shown = facts.group(group)
        assert [map_.name for map_ in shown][:2] == ["conv1", "max pooling"]
        sizes = [(1, map_.channels, *map_.size) for map_ in shown[2:]]
        assert sizes == [tuple(real.shape) for real in maps]


def test_a_pyramids_levels_and_what_it_adds() -> None:
    size = 28
    backbone = ResNet3d(width=4, spatial_strides=adapted_strides(size))
    model = Fpn(backbone, [LinearHead(8, 3) for _ in range(4)], channels=8)
    facts = measure_facts(model, (3, 16, size, size))
    stages = facts.group("backbone")[2:]
    levels = facts.group("pyramid")
    assert [str(level) for level in levels] == ["8×28×28×8", "4×28×28×8", "2×14×14×8", "1×7×7×8"]
    added = 4 * 8 * 3  # the classifiers
    for stage, level in zip(stages, levels, strict=True):
        frames, height, width = level.size
        added += frames * height * width * 8 * (stage.channels + 27 * 8)  # lateral, smoothing
    assert facts.backbone_macs is not None
    assert facts.macs - facts.backbone_macs == added
