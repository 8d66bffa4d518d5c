from pathlib import Path

import pytest
from typer.testing import CliRunner

from lilliput.cli.main import app
from lilliput.data import read_dataset
from tests.conftest import RunCli


def test_people_are_rendered_and_told(run_cli: RunCli, tmp_path: Path) -> None:
    out = tmp_path / "people"
    code, told, err = run_cli("data", "people", "--out", out, "--count", 3, "--workers", 1)
    assert code == 0, err
    assert told == f"made: {out / 'manifest.csv'}\n"
    dataset = read_dataset(out / "manifest.csv")
    assert sum(len(clips) for clips in dataset.splits.values()) == 3


@pytest.mark.parametrize(
    ("content", "fault"),
    [("nothing", "line 1: 'nothing' stands where"), (None, "holds no motion that can be read")],
)
def test_a_folder_without_motion_is_refused(
    content: str | None, fault: str, run_cli: RunCli, tmp_path: Path
) -> None:
    (tmp_path / "motion").mkdir()
    if content:
        (tmp_path / "motion" / "take.bvh").write_text(content)
    out = tmp_path / "people"
    code, _, err = run_cli("data", "people", "--out", out, "--motion", tmp_path / "motion")
    assert code == 2
    assert fault in err
    assert err.count("error: ") == 1
    assert not out.exists()


def test_help_names_the_options() -> None:
    result = CliRunner().invoke(app, ["data", "people", "--help"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    for option in ("--motion", "--count", "--seed", "--workers", "--out"):
        assert option in result.output
