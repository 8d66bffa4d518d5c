"""Flips: their probabilities, all symmetries, and labels that come back."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from lilliput.video.flips import RandomFlips, swap_order


def test_flip_probability() -> None:
    torch.manual_seed(0)
    flips = RandomFlips(0.3)
    assert 250 < sum(flips.draw().horizontal for _ in range(1000)) < 350


def test_all_eight_symmetries_of_a_ceiling_view_occur() -> None:
    torch.manual_seed(0)
    flips, frames = RandomFlips(0.5, 0.5, 0.5), torch.arange(20 * 20).view(1, 1, 20, 20)
    seen = {flips.draw()(frames).contiguous().numpy().tobytes() for _ in range(200)}
    turned = [frames.rot90(quarter, (-2, -1)) for quarter in range(4)]
    symmetries = [view for turn in turned for view in (turn, turn.flip(-1))]
    assert seen == {view.contiguous().numpy().tobytes() for view in symmetries}


@given(st.permutations(range(8)), st.integers(0, 4))
def test_swapping_twice_is_nothing(order: list[int], num_pairs: int) -> None:
    pairs = [(order[2 * k], order[2 * k + 1]) for k in range(num_pairs)]
    swap = swap_order(8, pairs)
    assert swap[swap].tolist() == list(range(8))
    assert all(swap[left] == right for left, right in pairs)
