import pytest

from lilliput.errors import DataError
from lilliput.evaluation.history import read_history


def test_what_was_not_measured_is_none(tmp_path):
    path = tmp_path / "history.csv"
    path.write_text("epoch,val_f1,val_top1\n1,0.25,nan\n2,0.5,nan\n")
    expected = {"epoch": [1, 2], "val_f1": [0.25, 0.5], "val_top1": [None, None]}
    assert read_history(path) == expected


@pytest.mark.parametrize("text", [None, "", "epoch\n", "epoch,a\n1\n", "a\n1\n", "epoch\nx\n"])
def test_a_damaged_history_is_named(tmp_path, text):
    path = tmp_path / "history.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(DataError, match=r"history\.csv: no readable history"):
        read_history(path)
