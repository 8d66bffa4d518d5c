"""Forward passes: PyTorch eager and compiled, ONNX Runtime, and our engines."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from benchmarks.context import Context
from benchmarks.networks import FPN_AD_R18, R18, count_operations, make_checkpoint
from benchmarks.tables import Claim, Table, make_rows
from benchmarks.timing import interleave
from benchmarks.topics.limits import BF16, FP32, GPU_BF16, INT8
from lilliput.checkpoint import Checkpoint, save_checkpoint
from lilliput.inference.engines import ENGINES, Engine

EAGER = "PyTorch eager, fp32"
_CALIBRATION = 8  # clips
_NAMES = {"torch": "torch", "onnx": "ONNX Runtime", "openvino": "OpenVINO"}
Forward = Callable[[], object]


def run(context: Context) -> list[Table]:
    on_gpu = torch.cuda.is_available()
    tables = []
    for name, model in (("FPN AD-R18", FPN_AD_R18), ("R18", R18)):
        small = {"input_size": 56} if context.quick else {}
        network = _Network(name, make_checkpoint(model | small), context)
        tables += [network.compare("cpu", batch) for batch in (1, 8)]
        if on_gpu:
            tables += [network.compare("cuda", batch) for batch in (1, 8, 32)]
    return tables


class _Network:
    """One network and the files that engines read it from."""

    def __init__(self, name: str, checkpoint: Checkpoint, context: Context) -> None:
        self.name = name
        self.checkpoint = checkpoint
        self.context = context
        self.path = context.folder / f"{name}.safetensors"
        save_checkpoint(checkpoint, self.path)
        self.operations = count_operations(checkpoint.build_model(), checkpoint.clip_shape)

    def compare(self, device: str, batch: int) -> Table:
        clips = torch.randn(batch, *self.checkpoint.clip_shape)
        # A heavy batch is compared with the reference and the engines alone.
        heavy = device == "cpu" and batch > 1 and self.operations > 5e10
        cases = self._peers(clips.to(device)) | self._ours(clips, device)
        if heavy:
            cases = {name: cases[name] for name in cases if name == EAGER or "OpenVINO" in name}
        cases = {name: _at_first_call(make) for name, make in cases.items()}
        results = interleave(
            cases, budget_seconds=self.context.seconds(25), min_rounds=2 if heavy else 3
        )
        peak = self._peak(device)
        rows = make_rows(
            results,
            ours={name for name in cases if name.startswith("Lilliput")},
            scale=1000 / batch,
            shares={} if peak is None else dict.fromkeys(cases, batch * self.operations / peak),
        )
        return Table(
            f"{self.name}, {'GPU' if device == 'cuda' else 'CPU'}, batch {batch}",
            f"Logits of {batch} random clip{'s' if batch > 1 else ''} of "
            f"{'×'.join(map(str, self.checkpoint.clip_shape[1:]))} in memory, untrained weights, "
            f"{self.operations / 2e9:.1f} GMAC a clip, all cores.{self._reason()}",
            "ms a clip",
            rows,
            baseline=EAGER,
            limit=f"the {'bf16' if device == 'cuda' else 'fp32'} peak",
            claims=self._claims(device, batch),
        )

    def _peak(self, device: str) -> float | None:
        return self.context.limits.get(GPU_BF16 if device == "cuda" else FP32)

    def _claims(self, device: str, batch: int) -> tuple[Claim, ...]:
        if self.name != "FPN AD-R18" or device != "cpu" or batch > 1:
            return ()
        bounds = (("int8", 4.5), ("bf16", 2.3))
        return tuple(
            Claim(
                f"FPN AD-R18 in {precision} at least {low}× eager fp32",
                f"Lilliput, OpenVINO, {precision}",
                EAGER,
                low=low,
            )
            for precision, low in bounds
        )

    def _reason(self) -> str:
        """What the machine allows: a gain of precision cannot exceed that of its arithmetic."""
        limits = self.context.limits
        if not limits.get(FP32):
            return ""
        gains = [
            f"{name.split()[0]} {limits[name] / limits[FP32]:.1f}×" if name in limits
            else f"{name.split()[0]} none"
            for name in (BF16, INT8)
        ]  # fmt: skip
        return f" Matrix products gain over fp32 on this CPU: {', '.join(gains)}."

    def _peers(self, clips: torch.Tensor) -> dict[str, Callable[[], Forward]]:
        def eager() -> Forward:
            return _without_gradients(self._model(clips), clips)

        def channels_last() -> Forward:
            model = self._model(clips).to(memory_format=torch.channels_last_3d)
            return _without_gradients(model, clips.contiguous(memory_format=torch.channels_last_3d))

        def compiled() -> Forward:
            return _without_gradients(torch.compile(self._model(clips)), clips)

        peers = {
            EAGER: eager,
            "PyTorch eager, channels last": channels_last,
            "torch.compile": compiled,
        }
        if clips.device.type == "cpu":
            peers["ONNX Runtime, fp32"] = lambda: self._onnx_runtime(clips)
        return peers

    def _ours(self, clips: torch.Tensor, device: str) -> dict[str, Callable[[], Forward]]:
        pairs = [(engine, precision) for engine in ENGINES for precision in ENGINES[engine]]
        if device == "cuda":
            pairs = [pair for pair in pairs if pair[0] == "torch"]
        return {
            f"Lilliput, {_NAMES[engine]}, {precision}": (
                lambda engine=engine, precision=precision: self._engine(
                    clips, device, engine, precision
                )
            )
            for engine, precision in pairs
        }

    def _model(self, clips: torch.Tensor) -> torch.nn.Module:
        return self.checkpoint.build_model().to(clips.device).eval()

    def _onnx_runtime(self, clips: torch.Tensor) -> Forward:
        import onnxruntime

        path = self.context.folder / f"{self.name}.onnx"
        if not path.is_file():
            program = torch.onnx.export(
                self._model(clips), (clips[:1],), dynamo=True, verbose=False
            )
            program.save(path)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        inputs = {session.get_inputs()[0].name: clips[:1].numpy()}
        return lambda: [session.run(None, inputs) for _ in range(len(clips))]

    def _engine(self, clips: torch.Tensor, device: str, engine: str, precision: str) -> Forward:
        from lilliput.inference.loading import load_model

        if precision == "int8":
            _, ready = load_model(self._quantised())
        else:
            _, ready = load_model(self.path, engine=engine, precision=precision, device=device)
        if ready.precision != precision:
            raise RuntimeError(ready.note)
        return _until_ready(ready, clips)

    def _quantised(self) -> Path:
        """As `lilliput export` writes it; noise calibrates it well enough for its speed."""
        from lilliput.inference.conversion import read_openvino, write_onnx, write_openvino
        from lilliput.inference.quantisation import quantise

        path = self.context.folder / f"{self.name}-int8.xml"
        if not path.is_file():
            plain = path.with_suffix(".onnx")
            write_onnx(self.checkpoint, plain)
            clips = [torch.randn(1, *self.checkpoint.clip_shape) for _ in range(_CALIBRATION)]
            network = quantise(read_openvino(plain), clips)
            write_openvino(network, self.checkpoint, "int8", path)
        return path


def _at_first_call(make: Callable[[], Forward]) -> Forward:
    """Makes the case when it is first called, where a failure becomes a row."""
    made: list[Forward] = []

    def call() -> object:
        if not made:
            made.append(make())
        return made[0]()

    return call


def _without_gradients(model: torch.nn.Module, clips: torch.Tensor) -> Forward:
    def call() -> np.ndarray:
        with torch.inference_mode():
            return model(clips).cpu().numpy()

    return call


def _until_ready(engine: Engine, clips: torch.Tensor) -> Forward:
    clips = clips.to(engine.device)
    return lambda: engine(clips).cpu()
