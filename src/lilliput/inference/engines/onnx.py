"""ONNX Runtime, for machines without PyTorch's weight or OpenVINO's support."""

from pathlib import Path

import torch

from lilliput.errors import CheckpointError
from lilliput.inference.engines.engine import EngineName, Precision, import_extra


class OnnxEngine:
    """Runs an ONNX file on the CPU.

    Args:
        path: The file.

    Raises:
        CheckpointError: ONNX Runtime cannot read it.
    """

    name: EngineName = "onnx"
    precision: Precision = "fp32"
    note = ""

    def __init__(self, path: Path) -> None:
        ort = import_extra("onnx", "onnxruntime")
        self.device = torch.device("cpu")
        options = ort.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()  # one setting for every engine
        try:
            self._session = ort.InferenceSession(path, options, ["CPUExecutionProvider"])
        except Exception as error:  # its errors have no common type of their own
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise CheckpointError(f"{path}: ONNX Runtime cannot read it ({reason})") from None

    def __call__(self, clips: torch.Tensor) -> torch.Tensor:
        """Logits (N, K) of clips (N, 3, T, H, W)."""
        (logits,) = self._session.run(None, {"clips": clips.cpu().contiguous().numpy()})
        return torch.from_numpy(logits)
