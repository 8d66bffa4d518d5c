"""Normalisation by hand, in either layout in memory."""

import numpy as np
import pytest
import torch

from lilliput.video.normalisation import KINETICS, MOTION, OWN_CONTRAST, Normalisation, stack_clips


def clip(height: int = 20, width: int = 20, num_frames: int = 4) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    shape = (num_frames, 3, height, width)
    return torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)


def test_normalisation_by_hand_and_the_layout_flip() -> None:
    frames = clip()
    out = KINETICS(frames)
    assert out.shape == (3, 4, 20, 20)
    expected = (frames[2, 1, 5, 7].item() / 255 - 0.4051) / 0.2713
    assert out[1, 2, 5, 7].item() == pytest.approx(expected, abs=1e-6)


def test_per_clip_normalisation_ignores_ambient_light() -> None:
    normalise = Normalisation((0, 0, 0), (0.1, 0.1, 0.1), per_clip=True)
    frames = clip() // 2
    out = normalise(frames)
    torch.testing.assert_close(out.mean(dim=(1, 2, 3)), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(normalise(frames + 40), out, atol=1e-5, rtol=0)


def test_own_contrast_ignores_how_strong_the_light_is() -> None:
    frames = clip() // 2
    out = OWN_CONTRAST(frames)
    values = frames.double() - frames.double().mean(dim=(0, 2, 3), keepdim=True)
    expected = (values / values.square().mean().sqrt()).movedim(0, 1)
    torch.testing.assert_close(out.double(), expected, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(OWN_CONTRAST(2 * frames), out, atol=1e-5, rtol=1e-4)


def test_motion_by_hand() -> None:
    frames = clip(6, 7)
    plain = OWN_CONTRAST(frames).numpy()
    brightness = plain.mean(axis=0)
    distance = brightness - brightness.mean(axis=0)
    step = np.diff(brightness, axis=0, prepend=brightness[:1])
    expected = np.stack([brightness, distance / distance.std(), step / distance.std()])
    np.testing.assert_allclose(MOTION(frames).numpy(), expected, atol=1e-5)
    batch = torch.stack([frames, frames.flip(0)])
    np.testing.assert_allclose(MOTION(batch)[1].numpy(), MOTION(frames.flip(0)).numpy(), atol=1e-5)


def test_what_stands_still_has_no_motion() -> None:
    still = clip()[:1].repeat(5, 1, 1, 1)
    assert MOTION(still)[1:].abs().max() < 1e-4
    still[2, :, 0, 0] += 1  # noise
    assert MOTION(still)[1:].std() < 0.05


def test_own_contrast_leaves_the_noise_of_a_black_clip_faint() -> None:
    frames = torch.zeros(4, 3, 8, 8, dtype=torch.uint8)
    frames[0, 0, 0, 0] = 1
    assert OWN_CONTRAST(frames).abs().max() < 0.6
    assert torch.isfinite(OWN_CONTRAST(torch.zeros_like(frames))).all()


@pytest.mark.parametrize("kind", ["common", "per_clip", "own_contrast", "motion"])
@pytest.mark.parametrize("leading", [(), (2, 3)])
def test_normalisation_does_not_depend_on_the_layout_in_memory(
    kind: str, leading: tuple[int, ...]
) -> None:
    own = {"per_clip": kind != "common", "own_contrast": kind == "own_contrast"}
    own["motion"] = kind == "motion"
    normalise = Normalisation((0.1, 0.2, 0.3), (0.4, 0.5, 0.6), **own)
    generator = torch.Generator().manual_seed(0)
    shape = (*leading, 4, 3, 9, 11)
    frames = torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)
    together = frames.movedim(-3, -1).contiguous().movedim(-1, -3)
    cropped = together[..., 1:8, 2:10]
    torch.testing.assert_close(normalise(together), normalise(frames))
    torch.testing.assert_close(normalise(cropped), normalise(frames[..., 1:8, 2:10].contiguous()))


def test_stacked_clips_keep_their_layout_if_it_is_a_common_one() -> None:
    frames = clip(9, 11)
    apart = KINETICS(frames)
    together = KINETICS(frames.contiguous(memory_format=torch.channels_last))
    batch = stack_clips([together, together])
    assert batch.is_contiguous(memory_format=torch.channels_last_3d)
    mixed = stack_clips([together, apart])
    assert mixed.is_contiguous()
    assert torch.equal(batch, torch.stack([together, together]))
    assert torch.equal(mixed, torch.stack([together, apart]))
