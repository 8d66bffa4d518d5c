from dataclasses import replace

import numpy as np
import pytest

from lilliput.errors import DataError
from lilliput.evaluation.scored import ScoredClips, average_scores, join_scores, load_scores


def _scored(scores, targets=((True, False), (False, True))):
    return ScoredClips(
        clip_ids=np.array(["a/1", "b/2"]),
        recordings=np.array(["a", "b"]),
        sides=np.array([14, 128]),
        scores=np.array(scores, dtype=np.float32),
        targets=np.array(targets, dtype=bool).reshape(-1, 2),
        class_names=np.array(["Öffnen <1>", "walk"]),
        unreadable=np.array(["x.mp4: cannot be decoded"]),
    )


def test_a_file_gives_back_what_was_saved(tmp_path):
    scored = _scored([[0.25, 1], [0, 0.125]])
    scored.save(tmp_path / "scores.npz")
    loaded = load_scores(tmp_path / "scores.npz")
    for name, values in vars(scored).items():
        np.testing.assert_array_equal(getattr(loaded, name), values)
        if name != "task":
            assert getattr(loaded, name).dtype == values.dtype


@pytest.mark.parametrize("task", ["single", "multi"])
def test_the_task_is_saved_and_says_what_the_scores_stand_for(tmp_path, task):
    replace(_scored([[0.4, 0.6], [0.5, 0.5]]), task=task).save(tmp_path / "scores.npz")
    loaded = load_scores(tmp_path / "scores.npz")
    expected = {"single": [[False, True], [True, False]], "multi": [[True, True], [True, True]]}
    np.testing.assert_array_equal(loaded.label([0.3, 0.3]), expected[task])


def test_scores_saved_before_there_were_tasks_are_of_several_labels(tmp_path):
    arrays = {k: v for k, v in vars(_scored([[0, 1], [1, 0]])).items() if k != "task"}
    np.savez(tmp_path / "old.npz", **arrays)
    assert load_scores(tmp_path / "old.npz").task == "multi"


def test_scores_of_different_tasks_are_not_averaged():
    multi = _scored([[0, 1], [1, 0]])
    with pytest.raises(DataError, match="one task"):
        average_scores([multi, replace(multi, task="single")])


def test_withheld_labels_stay_withheld_on_disk(tmp_path):
    _scored([[0, 1], [1, 0]], targets=[]).save(tmp_path / "scores.npz")
    assert not load_scores(tmp_path / "scores.npz").labelled
    assert _scored([[0, 1], [1, 0]]).labelled


def test_a_missing_file_names_the_command_that_writes_it(tmp_path):
    with pytest.raises(DataError, match=r"none\.npz: .*lilliput evaluate"):
        load_scores(tmp_path / "none.npz")


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut short"])
def test_a_damaged_file_is_named(tmp_path, content):
    (tmp_path / "bad.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"bad\.npz"):
        load_scores(tmp_path / "bad.npz")


def test_a_file_without_all_arrays_is_refused(tmp_path):
    np.savez(tmp_path / "other.npz", scores=np.zeros((2, 2)))
    with pytest.raises(DataError, match=r"other\.npz: not a scores file"):
        load_scores(tmp_path / "other.npz")


def test_pickled_objects_are_not_executed(tmp_path):
    scored = _scored([[0, 1], [1, 0]])
    arrays = vars(scored) | {"clip_ids": np.array([{"any": "object"}, None], dtype=object)}
    np.savez(tmp_path / "pickled.npz", **arrays)
    with pytest.raises(DataError, match="pickle"):
        load_scores(tmp_path / "pickled.npz")


def test_an_ensemble_is_the_mean():
    runs = [_scored([[0.0, 1.0], [0.5, 0.25]]), _scored([[1.0, 0.5], [0.5, 0.75]])]
    averaged = average_scores(runs)
    np.testing.assert_allclose(averaged.scores, [[0.5, 0.75], [0.5, 0.5]])
    np.testing.assert_array_equal(averaged.targets, runs[0].targets)


@pytest.mark.parametrize(
    ("field", "message"), [("clip_ids", "different clips"), ("class_names", "different classes")]
)
def test_runs_on_other_data_are_not_averaged(field, message):
    run = _scored([[0, 1], [1, 0]])
    other = replace(run, **{field: getattr(run, field)[::-1]})
    with pytest.raises(DataError, match=message):
        average_scores([run, other])


def test_parts_are_joined_in_order():
    first = _scored([[0, 1], [1, 0]])
    second = replace(_scored([[0.5, 0.25], [1, 0]]), clip_ids=np.array(["c/1", "d/a longer name"]))
    joined = join_scores([first, second])
    assert joined.clip_ids.tolist() == ["a/1", "b/2", "c/1", "d/a longer name"]
    np.testing.assert_array_equal(joined.scores, [[0, 1], [1, 0], [0.5, 0.25], [1, 0]])
    assert joined.targets.shape == (4, 2)
    assert joined.labelled
    assert len(joined.unreadable) == 2
    assert joined.class_names.tolist() == first.class_names.tolist()


def test_no_damaged_byte_is_a_traceback(tmp_path):
    """One flipped bit at a time; what a zip file's checksum does not cover may do no harm."""
    path = tmp_path / "scores.npz"
    _scored([[0.1, 0.9], [0.8, 0.2]]).save(path)
    content = path.read_bytes()
    for position in range(0, len(content), 5):
        damaged = bytearray(content)
        damaged[position] ^= 1 << position % 8
        path.write_bytes(damaged)
        try:
            load_scores(path)
        except DataError as error:
            assert str(error).startswith(f"{path}: ") and "\n" not in str(error)
