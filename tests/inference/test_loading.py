"""Which engine and number format a model runs in, and what is kept of its conversion."""

import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest
import torch

from lilliput.builders import build_model
from lilliput.checkpoint import Checkpoint
from lilliput.config import ModelConfig
from lilliput.errors import CheckpointError, ConfigError
from lilliput.inference import loading
from lilliput.inference.cache import cached
from lilliput.inference.engines import ENGINES, import_extra
from lilliput.inference.engines import pytorch as pytorch_engine
from lilliput.inference.engines.pytorch import TorchEngine
from lilliput.inference.loading import load_model
from lilliput.inference.recognizer import Recognizer

pytest.importorskip("onnxruntime")
pytest.importorskip("openvino")


@pytest.fixture(scope="module")
def clips(micro_checkpoint: Checkpoint) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(2, *micro_checkpoint.clip_shape, generator=generator)


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_computes_the_same(
    micro_file: Path, micro_checkpoint: Checkpoint, clips: torch.Tensor, engine: str
) -> None:
    description, loaded = load_model(micro_file, engine=engine)
    assert (loaded.name, loaded.precision, loaded.note) == (engine, "fp32", "")
    assert description.labels == micro_checkpoint.labels
    with torch.no_grad():
        expected = micro_checkpoint.build_model()(clips)
    bound = 1e-4 * float(expected.abs().max())
    torch.testing.assert_close(loaded(clips), expected, rtol=0, atol=bound)


@pytest.mark.parametrize("engine", ENGINES)
def test_threads_may_share_an_engine(
    micro_file: Path, micro_checkpoint: Checkpoint, engine: str
) -> None:
    """As several cameras do; with OpenVINO's single request they got each other's scores."""
    _, loaded = load_model(micro_file, engine=engine)
    generator = torch.Generator().manual_seed(2)
    shape = (4, 1, *micro_checkpoint.clip_shape)
    clips = [clip.to(loaded.device) for clip in torch.randn(shape, generator=generator)]
    alone = [loaded(clip) for clip in clips]
    together = Barrier(len(clips))

    def score(number: int) -> list[torch.Tensor]:
        together.wait()
        return [loaded(clips[number]) for _ in range(100)]

    with ThreadPoolExecutor(len(clips)) as pool:
        for expected, found in zip(alone, pool.map(score, range(len(clips))), strict=True):
            for logits in found:
                torch.testing.assert_close(logits, expected, rtol=1e-5, atol=1e-6)


def test_bf16_is_computed_or_its_lack_is_told(micro_file: Path, clips: torch.Tensor) -> None:
    _, plain = load_model(micro_file, engine="torch")
    for engine in ("torch", "openvino"):
        _, loaded = load_model(micro_file, engine=engine, precision="bf16", device="cpu")
        if loaded.precision == "bf16":
            assert loaded.note == ""
            assert not torch.equal(loaded(clips), plain(clips))
        else:
            assert loaded.note == "this machine has no bf16 arithmetic: computing in fp32"
        torch.testing.assert_close(loaded(clips), plain(clips).cpu(), rtol=0.05, atol=0.1)
    note = Recognizer.load(micro_file, engine="torch", precision="bf16", device="cpu").note
    assert note.startswith("for tests")


@pytest.mark.parametrize(
    "config",
    [
        ModelConfig(name="frame_resnet", input_size=28),  # 2-D convolutions
        ModelConfig(name="resnet3d", width=4, input_size=14),
    ],
    ids=lambda config: config.name,
)
def test_bf16_runs_networks_of_either_kind(
    config: ModelConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pytorch_engine, "has_bf16", lambda _: True)
    torch.manual_seed(0)
    model = build_model(config, 3, num_frames=4).eval()
    clip = torch.randn(1, 3, 4, config.input_size, config.input_size)
    with torch.inference_mode():
        expected = model(clip)
    loaded = TorchEngine(model, "bf16", "cpu")
    assert (loaded.precision, loaded.note) == ("bf16", "")
    bound = 0.1 * float(expected.abs().max())
    torch.testing.assert_close(loaded(clip), expected, rtol=0, atol=bound)


def test_predictions_are_the_same_in_every_engine(micro_file: Path) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (40, 16, 16, 3), dtype=np.uint8)
    scores = [Recognizer.load(micro_file, engine=name).predict(frames).scores for name in ENGINES]
    np.testing.assert_allclose(scores[1], scores[0], atol=1e-4)
    np.testing.assert_allclose(scores[2], scores[0], atol=1e-4)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"engine": "tensorrt"}, "engine = 'tensorrt': use torch, onnx, openvino or auto"),
        ({"engine": "torch", "precision": "fp8"}, "precision = 'fp8': use fp32, bf16, int8"),
        (
            {"engine": "torch", "precision": "int8"},
            "engine 'torch' does not compute in int8: use engine 'openvino'",
        ),
        ({"engine": "openvino", "precision": "int8"}, r"lilliput export .*--precision int8 --data"),
        ({"engine": "onnx", "device": "cuda"}, "computes on the CPU: use engine 'torch' on cuda"),
    ],
)
def test_pairs_that_do_not_exist(micro_file: Path, settings: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_model(micro_file, **settings)


def test_a_missing_package_names_its_extra() -> None:
    with pytest.raises(ConfigError) as caught:
        import_extra("openvino", "no_such_package")
    assert str(caught.value) == (
        "engine 'openvino' needs the package no_such_package: pip install 'lilliput[openvino]'"
    )


def test_a_second_start_converts_nothing(
    micro_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clips: torch.Tensor
) -> None:
    monkeypatch.setenv("LILLIPUT_CACHE", str(tmp_path))
    _, first = load_model(micro_file, engine="onnx")
    (entry,) = tmp_path.iterdir()
    content = entry.read_bytes()
    monkeypatch.setattr(loading, "write_onnx", None)
    _, second = load_model(micro_file, engine="onnx")
    assert torch.equal(first(clips), second(clips))
    damaged = bytearray(content)
    damaged[len(damaged) // 2] ^= 1
    entry.write_bytes(damaged)
    with pytest.raises(TypeError):  # it converts again
        load_model(micro_file, engine="onnx")


def test_the_cache_makes_again_what_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LILLIPUT_CACHE", str(tmp_path))
    made: list[Path] = []

    def make(path: Path) -> None:
        made.append(path)
        path.write_text("content")

    entry = cached("key", ".txt", make)
    assert cached("key", ".txt", make) == entry
    assert len(made) == 1
    entry.write_text("damage")
    assert cached("key", ".txt", make) == entry
    assert entry.read_text() == "content"
    assert cached("other key", ".txt", make) != entry

    def fail(path: Path) -> None:
        path.write_text("half")
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        cached("third key", ".txt", fail)
    assert len(list(tmp_path.iterdir())) == 2


def test_several_may_fill_the_cache_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LILLIPUT_CACHE", str(tmp_path))
    together = Barrier(4)

    def make(path: Path) -> None:
        together.wait()  # all found nothing, and all write
        path.write_text("content")

    with ThreadPoolExecutor(4) as pool:
        entries = set(pool.map(lambda _: cached("key", ".txt", make), range(4)))
    (entry,) = entries
    assert entry.read_text() == "content"
    assert list(tmp_path.iterdir()) == [entry]


def test_a_cache_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LILLIPUT_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(ConfigError, match="set LILLIPUT_CACHE"):
        cached("key", ".txt", lambda path: None)


@pytest.fixture
def read_only_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for a folder without permission, which means nothing to root."""

    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setenv("LILLIPUT_CACHE", str(tmp_path))
    monkeypatch.setattr(tempfile, "mkdtemp", refuse)
    return tmp_path


def test_a_cache_that_cannot_be_written(micro_file: Path, read_only_cache: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_model(micro_file, engine="onnx")
    assert str(caught.value) == (
        f"{read_only_cache}: cannot keep converted networks there (Permission denied); "
        "set LILLIPUT_CACHE"
    )


@pytest.mark.usefixtures("read_only_cache")
def test_auto_does_without_a_cache(
    micro_file: Path, monkeypatch: pytest.MonkeyPatch, clips: torch.Tensor
) -> None:
    monkeypatch.setattr(loading, "_fastest", lambda _: "openvino")
    _, loaded = load_model(micro_file)
    assert loaded.name == "torch"
    assert "set LILLIPUT_CACHE; until then engine 'torch' computes" in loaded.note
    assert torch.equal(loaded(clips), load_model(micro_file, engine="torch")[1](clips))


@pytest.mark.parametrize("name", ["model.onnx", "model.xml"])
def test_an_export_computes_on_the_cpu(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="computes on the CPU: use engine 'torch' on cuda"):
        load_model(tmp_path / name, device="cuda")


@pytest.mark.parametrize("precision", [None, "fp8"])
def test_an_export_of_an_unknown_precision(
    micro_checkpoint: Checkpoint,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    precision: str | None,
) -> None:
    (tmp_path / "model.onnx").touch()
    texts = {"lilliput": micro_checkpoint.to_json()}
    texts |= {} if precision is None else {"lilliput_precision": precision}
    monkeypatch.setattr("lilliput.inference.conversion._onnx_metadata", lambda _: texts)
    with pytest.raises(CheckpointError, match=rf"unknown precision \({precision}\); export again"):
        load_model(tmp_path / "model.onnx")


@pytest.mark.parametrize("name", ["model.onnx", "model.xml"])
def test_files_that_are_no_exports(tmp_path: Path, name: str) -> None:
    with pytest.raises(CheckpointError, match="no such model"):
        load_model(tmp_path / name)
    (tmp_path / name).write_text("nothing")
    (tmp_path / "model.bin").write_text("nothing")
    with pytest.raises(CheckpointError, match=f"{name}: not a readable"):
        load_model(tmp_path / name)


_SIGNALS_AFTERWARDS = """
import gc, signal, sys
from pathlib import Path
import torch
from lilliput.inference.conversion import read_openvino, write_onnx
from lilliput.inference.loading import load_model
from lilliput.inference.quantisation import quantise

model, folder = Path(sys.argv[1]), Path(sys.argv[2])
for _ in range(2):
    checkpoint, engine = load_model(model, engine="openvino")
    engine(torch.zeros(1, *checkpoint.clip_shape))
write_onnx(checkpoint, folder / "model.onnx")
network = read_openvino(folder / "model.onnx")
network = quantise(network, [torch.randn(1, *checkpoint.clip_shape)])
del engine, network
gc.collect()
signal.signal(signal.SIGUSR1, lambda *_: print("handled"))
signal.raise_signal(signal.SIGUSR1)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="has no such signals")
def test_signals_are_survived_after_networks_came_and_went(
    micro_file: Path, tmp_path: Path
) -> None:
    """OpenVINO gives handlers a stack, which must not be gone when Ctrl-C comes."""
    command = [sys.executable, "-c", _SIGNALS_AFTERWARDS, micro_file, tmp_path]
    result = subprocess.run(command, check=False, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert result.stdout == "handled\n"
