"""OpenVINO, the fastest engine on the CPUs that we measured."""

from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import torch

from lilliput.errors import CheckpointError
from lilliput.inference.engines.engine import NO_BF16, EngineName, Precision, import_extra


class OpenVinoEngine:
    """Compiles and runs an OpenVINO model or an ONNX file on the CPU.

    Threads may share it, as those of several cameras do.

    Args:
        path: The ``.xml`` or ``.onnx`` file.
        precision: What it shall compute in; ``"int8"`` for a model that was quantised.

    Raises:
        CheckpointError: OpenVINO cannot read the file.
    """

    name: EngineName = "openvino"

    def __init__(self, path: Path, precision: Precision = "fp32") -> None:
        core = openvino_core()
        self.device = torch.device("cpu")
        able = precision != "bf16" or "BF16" in core.get_property(
            "CPU", "OPTIMIZATION_CAPABILITIES"
        )
        self.precision: Precision = precision if able else "fp32"
        self.note = "" if able else NO_BF16
        settings = {
            "PERFORMANCE_HINT": "LATENCY",  # one clip at a time on all cores
            # Left to itself OpenVINO takes bf16 where there is some, whatever was asked for.
            "INFERENCE_PRECISION_HINT": "bf16" if self.precision == "bf16" else "f32",
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),  # one setting for every engine
            "ENABLE_CPU_PINNING": False,  # several processes would all take the first core
        }
        # No CACHE_DIR: it saves half a second at most, and never checks what it reads back.
        try:
            self._network = core.compile_model(path, "CPU", settings)
        except RuntimeError as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[-1]
            raise CheckpointError(f"{path}: OpenVINO cannot read it ({reason})") from None
        self._lock = Lock()  # the network has one request: two at once mix up their clips

    def __call__(self, clips: torch.Tensor) -> torch.Tensor:
        """Logits (N, K) of clips (N, 3, T, H, W)."""
        with self._lock:
            logits = self._network(clips.cpu().contiguous().numpy())[0]
        return torch.from_numpy(logits)


@cache
def openvino_core() -> Any:
    """OpenVINO, started once and kept to the end of the process.

    Each start gives signal handlers a stack of their own, and one that ends may leave them none:
    with several, the next Ctrl-C or child process that ends would crash this one.

    Raises:
        ConfigError: OpenVINO is not installed.
    """
    return import_extra("openvino", "openvino").Core()
