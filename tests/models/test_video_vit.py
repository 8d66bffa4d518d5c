"""The video transformer's tokens, by hand."""

import pytest
import torch
from torchvision.models import VisionTransformer
from torchvision.models.vision_transformer import ConvStemConfig

from lilliput.errors import ConfigError
from lilliput.models.video_vit import VideoVit, patch_size


@pytest.mark.parametrize(
    ("size", "patch", "tokens"),
    [(14, 2, 8 * 49), (28, 2, 8 * 196), (56, 4, 8 * 196), (112, 8, 8 * 196), (224, 16, 8 * 196)],
)
def test_tokens_of_16_frames(size: int, patch: int, tokens: int) -> None:
    with torch.device("meta"):
        model = VideoVit(5, input_size=size)
    assert patch_size(size) == patch
    assert model.conv_proj.weight.shape == (384, 3, 2, patch, patch)
    assert model.encoder.pos_embedding.shape == (1, tokens, 384)


def test_width_64_is_vit_s() -> None:
    """DeiT-S has 22.05 M parameters with 1000 classes, of these 0.38 M in the classifier."""
    with torch.device("meta"):
        model = VideoVit(1000, input_size=224, num_frames=2)
        flat = VisionTransformer(224, 16, 12, 6, 384, 1536)
    sizes = {name: tensor.numel() for name, tensor in flat.state_dict().items()}
    assert sum(sizes.values()) / 1e6 == pytest.approx(22.05, abs=0.01)
    ours = sum(parameter.numel() for parameter in model.parameters())
    # Tubelets are twice as deep; there is no class token, nor a position for it.
    assert ours == sum(sizes.values()) + 384 * 3 * 16 * 16 - 2 * 384


def permuted(clips: torch.Tensor) -> torch.Tensor:
    """The same 2 x 2 x 2 tubelets in another order."""
    tubelets = clips.unflatten(4, (-1, 2)).unflatten(3, (-1, 2)).unflatten(2, (-1, 2))
    tubelets = tubelets.flip(2).roll(3, dims=4).roll(1, dims=6)  # axes of T, H and W tubelets
    return tubelets.flatten(6, 7).flatten(4, 5).flatten(2, 3)


def test_only_positions_tell_tubelets_apart() -> None:
    torch.manual_seed(0)
    model = VideoVit(3, input_size=14, num_frames=4, width=4).eval().double()
    clips = torch.randn(1, 3, 4, 14, 14, dtype=torch.float64)
    other = permuted(clips)
    assert not torch.equal(other, clips)
    with torch.no_grad():
        assert not torch.allclose(model(clips), model(other), rtol=1e-4, atol=0)
        model.encoder.pos_embedding.zero_()
        torch.testing.assert_close(model(clips), model(other))


def test_a_tubelet_is_embedded_linearly() -> None:
    """Token (t, y, x) is the product of the weights with that tubelet's 2 x 2 x 2 pixels."""
    torch.manual_seed(0)
    model = VideoVit(3, input_size=14, num_frames=4, width=4)
    clips = torch.randn(1, 3, 4, 14, 14)
    tokens = []
    model.encoder.register_forward_pre_hook(lambda _m, inputs: tokens.append(inputs[0]))
    model.eval()(clips)
    tubelet = clips[0, :, 2:4, 6:8, 4:6]  # t = 1, y = 3, x = 2
    weight, bias = model.conv_proj.weight, model.conv_proj.bias
    expected = (weight * tubelet).sum(dim=(1, 2, 3, 4)) + bias
    torch.testing.assert_close(tokens[0][0, 1 * 49 + 3 * 7 + 2], expected)


@pytest.mark.parametrize(("size", "frames"), [(28, 7), (100, 16)])
def test_clips_that_tubelets_do_not_divide_are_refused(size: int, frames: int) -> None:
    with pytest.raises(ConfigError, match="tubelets"):
        VideoVit(3, input_size=size, num_frames=frames)


@pytest.mark.parametrize("stem", ["linear", "conv"])
@torch.no_grad()
def test_the_class_token_and_the_convolutional_stem_are_torchvisions(stem: str) -> None:
    """On a still clip of one tubelet in time, with weights for one of its frames."""
    torch.manual_seed(0)
    convolutions = [ConvStemConfig(out_channels=size, kernel_size=3, stride=2) for size in (12, 24)]
    layers, options = (11, {"conv_stem_configs": convolutions}) if stem == "conv" else (12, {})
    flat = VisionTransformer(56, 4, layers, 6, 24, 96, num_classes=3, **options).double().eval()
    model = VideoVit(3, input_size=56, num_frames=2, width=4, class_token=True, stem=stem)  # type: ignore[arg-type]
    model.double().eval()
    if stem == "conv":
        names = {"conv_bn_relu_0": ("0", "1"), "conv_bn_relu_1": ("3", "4"), "conv_last": ("6",)}
        state = flat.state_dict()
        for old, places in names.items():
            for index, place in enumerate(places):
                inner = f"conv_proj.{old}" + (f".{index}" if len(places) > 1 else "")
                for key in [key for key in state if key.startswith(f"{inner}.")]:
                    state[f"conv_proj.{place}.{key.rsplit('.', 1)[1]}"] = state.pop(key)
        flat_state = state
    else:
        flat_state = flat.state_dict()
    flat.heads.head.weight.normal_()  # torchvision starts it at zero
    flat.class_token.normal_()
    flat_state["heads.head.weight"], flat_state["class_token"] = (
        flat.heads.head.weight,
        flat.class_token,
    )
    for name, tensor in model.state_dict().items():
        source = flat_state[name.replace("fc.", "heads.head.")]
        if tensor.ndim == source.ndim + 1:  # the rest of the filter sees nothing
            tensor.zero_()
            tensor[:, :, tensor.shape[2] // 2] = source
        else:
            tensor.copy_(source)
    picture = torch.randn(2, 3, 56, 56, dtype=torch.float64)
    clips = picture.unsqueeze(2).expand(-1, -1, 2, -1, -1)
    torch.testing.assert_close(model(clips), flat(picture))
