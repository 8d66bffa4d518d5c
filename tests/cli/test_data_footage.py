from typer import Typer
from typer.testing import CliRunner

from lilliput.cli.data_footage import footage_command
from lilliput.data.spans import find_recordings, read_spans


def test_footage_is_written_with_its_truth(tmp_path):
    app = Typer()
    app.command()(footage_command)
    out = tmp_path / "made"

    result = CliRunner().invoke(app, [str(out), "--count", "1", "--seconds", "10", "--seed", "2"])

    assert result.exit_code == 0, result.output
    assert result.stdout == f"made: {out}\n"
    spans = read_spans(out / "spans.csv")
    assert list(find_recordings(out, spans)) == ["synthetic-0000"]
    assert (out / "tubelets.json").is_file()
