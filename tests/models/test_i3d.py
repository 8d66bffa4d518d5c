"""I3D against torchvision's GoogLeNet on clips that stand still, and the paper's shapes."""

import pytest
import torch
from torchvision.models import googlenet

from lilliput.models.i3d import I3d
from lilliput.models.inflate import inflate_weight


def load_flat(deep: I3d, flat: torch.nn.Module) -> None:
    """The 2-D net's weights, inflated name by name."""
    state = deep.net.state_dict()
    for name, weight in flat.state_dict().items():
        state[name] = inflate_weight(weight, state[name].shape[2]) if weight.ndim == 4 else weight
    deep.net.load_state_dict(state)


def keep_responses_large(net: torch.nn.Module) -> None:
    """Normalises as after some training; fresh weights make every map fainter than the last."""
    for module in net.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.running_var.fill_(0.1)


def maps(net: torch.nn.Module, pictures: torch.Tensor) -> dict[str, torch.Tensor]:
    """The outputs of all layers with a name of one word, and the logits."""
    outputs: dict[str, torch.Tensor] = {}
    hooks = [
        child.register_forward_hook(lambda _m, _i, out, name=name: outputs.update({name: out}))
        for name, child in net.named_children()
    ]
    with torch.no_grad():
        net(pictures)
    for hook in hooks:
        hook.remove()
    return outputs


@pytest.mark.parametrize(("size", "num_frames"), [(64, 16), (45, 5)])
def test_a_still_clip_gives_the_2d_nets_response(size: int, num_frames: int) -> None:
    torch.manual_seed(0)
    flat = googlenet(weights=None, num_classes=5, aux_logits=False, init_weights=False)
    flat, deep = flat.eval().double(), I3d(5).eval().double()
    keep_responses_large(flat)
    load_flat(deep, flat)
    picture = torch.randn(1, 3, size, size, dtype=torch.float64)
    expected = maps(flat, picture)
    found = maps(deep.net, picture[:, :, None].expand(-1, -1, num_frames, -1, -1))
    assert list(found) == list(expected)
    for name, output in found.items():
        reference = expected[name]
        assert reference.std() > 1e-6, name
        if output.ndim == 5:
            reference = reference[:, :, None].expand_as(output)
        torch.testing.assert_close(
            output, reference, rtol=1e-9, atol=1e-12, msg=lambda text, name=name: f"{name}: {text}"
        )


def test_time_shrinks_as_in_the_paper() -> None:
    """64 frames of 224 px: table 1 and figure 3 of the paper, as (T, H, W)."""
    with torch.device("meta"):
        model = I3d(400)
        outputs = maps(model.net, torch.empty(1, 3, 64, 224, 224))
    shapes = {name: tuple(output.shape[2:]) for name, output in outputs.items()}
    assert shapes["conv1"] == (32, 112, 112)
    assert shapes["maxpool1"] == (32, 56, 56)
    assert shapes["maxpool2"] == (32, 28, 28)
    assert shapes["maxpool3"] == (16, 14, 14)
    assert shapes["inception5b"] == (8, 7, 7)


def test_filters_are_cubes() -> None:
    with torch.device("meta"):
        state = I3d(400).net.state_dict()
        flat = googlenet(weights=None, num_classes=400, aux_logits=False, init_weights=False)
    assert list(state) == list(flat.state_dict())
    for name, weight in state.items():
        if weight.ndim == 5:
            assert weight.shape[2] == weight.shape[3] == weight.shape[4], name


def test_sees_the_order_of_frames_once_its_filters_differ_in_time() -> None:
    torch.manual_seed(0)
    model = I3d(3).eval().double()
    keep_responses_large(model)
    torch.nn.init.normal_(model.net.conv1.conv.weight, std=0.1)
    clips = torch.randn(1, 3, 8, 32, 32, dtype=torch.float64)
    with torch.no_grad():
        assert not torch.allclose(model(clips), model(clips.flip(2)), rtol=1e-3, atol=0)
