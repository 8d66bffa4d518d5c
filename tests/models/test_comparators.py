"""What every comparator and every other backbone must do, at the sizes it declares."""

import copy
from collections.abc import Callable
from importlib.util import find_spec

import pytest
import torch
from torch import nn

from lilliput.builders import MODELS
from lilliput.models.c3d import C3d
from lilliput.models.deepvideo import DeepVideo, Fusion
from lilliput.models.efficientnet import EfficientNetLite0
from lilliput.models.frame_resnet import FrameResNet
from lilliput.models.heads import Classifier, LinearHead
from lilliput.models.i3d import I3d
from lilliput.models.idt.classifier import Idt
from lilliput.models.idt.extraction import TrajectoryExtractor
from lilliput.models.mvit import Mvit
from lilliput.models.p3d import P3d
from lilliput.models.r2plus1d import R2plus1d
from lilliput.models.r2plus1d_resnet import R2plus1dResNet
from lilliput.models.video_vit import VideoVit

Build = Callable[[int, int], nn.Module]  # from input size in px and frames


def _deepvideo(fusion: Fusion, frames: int) -> nn.Module:
    return DeepVideo(3, fusion=fusion, num_frames=frames, width=4)


BUILD: dict[str, Build] = {
    "frame_resnet": lambda size, frames: FrameResNet(3),
    "deepvideo": lambda size, frames: DeepVideo(3, num_frames=frames, width=4),
    "deepvideo-early": lambda size, frames: _deepvideo("early", frames),
    "deepvideo-late": lambda size, frames: _deepvideo("late", frames),
    "deepvideo-slow": lambda size, frames: _deepvideo("slow", frames),
    "c3d": lambda size, frames: C3d(3, width=4),
    "i3d": lambda size, frames: I3d(3),
    "r2plus1d": lambda size, frames: Classifier(R2plus1d(), LinearHead(512, 3)),
    "r2plus1d-kenshohara": lambda size, frames: Classifier(
        R2plus1dResNet(width=4), LinearHead(32, 3)
    ),
    "p3d": lambda size, frames: Classifier(P3d(width=4), LinearHead(128, 3)),
    "mvit": lambda size, frames: Mvit(3, input_size=size, num_frames=frames),
    "video_vit": lambda size, frames: VideoVit(3, input_size=size, num_frames=frames, width=4),
    "video_vit-class_token-conv": lambda size, frames: VideoVit(
        3, input_size=size, num_frames=frames, width=4, class_token=True, stem="conv"
    ),
    "efficientnet_lite0": lambda size, frames: Classifier(EfficientNetLite0(), LinearHead(320, 3)),
    "idt": lambda size, frames: Idt(
        3, TrajectoryExtractor(length=3, step=2, patch=6, compensate_camera=False), gaussians=2
    ),
}
SMALLEST = dict.fromkeys(BUILD, 14) | {"i3d": 28}  # px

# Only the class token leaves MViT's last block; these act on the other tokens' queries alone.
IDLE = {
    "mvit": {
        "net.blocks.15.attn.rel_pos_h",
        "net.blocks.15.attn.rel_pos_w",
        "net.blocks.15.attn.rel_pos_t",
        "net.blocks.15.attn.pool_q.pool.weight",
    }
}

# Held to test_contract.py.
THESIS = {"resnet3d", "multiscale", "fpn", "multiscale_fpn", "image_pyramid"}
BACKBONE_ONLY = {"efficientnet_lite0"}

NEEDS = {"efficientnet_lite0": "timm", "idt": "cv2"}  # packages of extras
NAMES = [
    pytest.param(
        name,
        marks=pytest.mark.skipif(
            name in NEEDS and find_spec(NEEDS[name]) is None,
            reason=f"{NEEDS.get(name)} is not installed",
        ),
    )
    for name in BUILD
]


@pytest.fixture(params=NAMES, scope="module")
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def model(name: str) -> nn.Module:
    torch.manual_seed(0)
    return BUILD[name](SMALLEST[name], 16).eval()


def test_no_model_of_the_project_is_left_out() -> None:
    built = {name.partition("-")[0] for name in BUILD}
    assert set(MODELS) == THESIS | (built - BACKBONE_ONLY)


@pytest.fixture
def clips(name: str) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(2, 3, 16, SMALLEST[name], SMALLEST[name], generator=generator)


@pytest.mark.parametrize(("size", "frames"), [(14, 16), (28, 8), (56, 32), (112, 16), (224, 16)])
def test_sizes(name: str, size: int, frames: int) -> None:
    if size < SMALLEST[name]:
        pytest.skip(f"{name} takes {SMALLEST[name]} px and more")
    with torch.device("meta"):
        logits = BUILD[name](size, frames)(torch.empty(2, 3, frames, size, size))
    assert logits.shape == (2, 3)


def test_every_parameter_gets_a_gradient(name: str, model: nn.Module, clips: torch.Tensor) -> None:
    model(clips).square().sum().backward()
    idle = {key for key, value in model.named_parameters() if not value.grad.abs().sum() > 0}
    assert idle == IDLE.get(name, set())


def test_exports_with_a_free_batch_size(name: str, model: nn.Module, clips: torch.Tensor) -> None:
    if name == "idt":
        pytest.skip("hand-crafted features are no network to export")
    if name == "mvit":  # a block of each stage is enough, and exports in a quarter of the time
        model = copy.deepcopy(model)
        model.net.blocks = nn.ModuleList(model.net.blocks[index] for index in (0, 1, 3, 14))
    if name == "p3d":  # every kind of block is in its first stage
        model = copy.deepcopy(model)
        for number in (2, 3, 4):
            layer = model.backbone.get_submodule(f"layer{number}")
            setattr(model.backbone, f"layer{number}", layer[:1])
    batch = torch.export.Dim("batch")
    program = torch.export.export(model, (clips,), dynamic_shapes=({0: batch},))
    others = torch.cat([clips, clips.flip(2)])
    with torch.no_grad():
        torch.testing.assert_close(program.module()(others), model(others))


def test_a_clips_logits_do_not_depend_on_its_batch(name: str, clips: torch.Tensor) -> None:
    torch.manual_seed(0)
    model = BUILD[name](SMALLEST[name], 16).eval().double()
    with torch.no_grad():
        together = model(clips.double())
        alone = torch.cat([model(clip[None].double()) for clip in clips])
    assert together.dtype == torch.float64
    torch.testing.assert_close(together, alone)


@pytest.mark.parametrize(
    "build",
    [
        lambda dropout: FrameResNet(3, dropout=dropout),
        lambda dropout: DeepVideo(3, num_frames=2, width=4, dropout=dropout),
        lambda dropout: C3d(3, width=4, dropout=dropout),
        lambda dropout: I3d(3, dropout=dropout),
        lambda dropout: VideoVit(3, input_size=28, num_frames=2, width=4, dropout=dropout),
        lambda dropout: Mvit(3, input_size=28, num_frames=2, dropout=dropout),
    ],
    ids=["frame_resnet", "deepvideo", "c3d", "i3d", "video_vit", "mvit"],
)
def test_dropout_makes_training_random(build: Callable[[float], nn.Module]) -> None:
    clips = torch.randn(2, 3, 2, 28, 28, generator=torch.Generator().manual_seed(1))
    for dropout in (0.0, 0.5):
        torch.manual_seed(0)
        model = build(dropout).eval()
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.train()
        with torch.no_grad():
            assert torch.equal(model(clips), model(clips)) == (dropout == 0)
