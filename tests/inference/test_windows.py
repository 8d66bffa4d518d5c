"""Sharing work between windows must not show: against reading each window by itself."""

from collections import Counter

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lilliput.inference.windows import SourceFrame, WindowClips, cut_windows, in_batches
from lilliput.video.normalisation import KINETICS
from lilliput.video.sampling import sample_evaluation
from lilliput.video.transforms import EvaluationTransform


@settings(deadline=None)
@given(
    count=st.integers(1, 50),
    length=st.integers(1, 20),
    method=st.sampled_from(["segment", "random"]),
    num_clips=st.integers(1, 3),
    side=st.sampled_from([5, 9]),  # scaled up and down
)
def test_shared_frames_give_the_clips_of_separate_windows(
    count: int, length: int, method: str, num_clips: int, side: int
) -> None:
    footage = torch.randint(
        0, 256, (count, 3, 7, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(count)
    )
    transform = EvaluationTransform(side, KINETICS)
    reads: Counter[int] = Counter()

    def sample(num_source: int, name: str = "") -> list[np.ndarray]:
        return sample_evaluation(method, num_source, 4, num_clips=num_clips)

    def read(index: int) -> torch.Tensor:
        reads[index] += 1
        return footage[index]

    def frame(index: int) -> SourceFrame:
        return SourceFrame(lambda: read(index))

    make = WindowClips(sample, transform)
    picked: set[int] = set()
    for start, window in cut_windows(enumerate(map(frame, range(count))), length):
        stretch = footage[start : start + len(window)]
        picks = sample(len(stretch))
        expected = torch.stack([transform(stretch[torch.from_numpy(pick)]) for pick in picks])
        assert torch.equal(make(window), expected)
        picked |= {start + int(index) for pick in picks for index in pick}
    assert reads == Counter(picked)  # each picked frame once, no other


def test_a_prepared_frame_lets_its_picture_go() -> None:
    frame = SourceFrame(torch.zeros(3, 90, 90, dtype=torch.uint8).clone)
    WindowClips(lambda *_: [np.array([0, 0])], EvaluationTransform(5, KINETICS))([frame])
    assert frame.ready is not None
    assert frame.ready.shape == (3, 5, 5)
    assert not hasattr(frame, "read")


def test_batches_hold_everything_in_order() -> None:
    assert list(in_batches(range(5), 2)) == [[0, 1], [2, 3], [4]]
    assert list(in_batches([], 2)) == []
