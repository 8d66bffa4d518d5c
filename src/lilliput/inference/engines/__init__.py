"""What runs a network: PyTorch, ONNX Runtime or OpenVINO, under one small contract."""

from lilliput.errors import ConfigError
from lilliput.inference.engines.engine import Engine, EngineName, Precision, import_extra

__all__ = ["ENGINES", "Engine", "EngineName", "Precision", "check_pair", "import_extra"]

# Which number formats each engine computes in.
ENGINES: dict[EngineName, tuple[Precision, ...]] = {
    "torch": ("fp32", "bf16"),
    "onnx": ("fp32",),
    "openvino": ("fp32", "bf16", "int8"),
}


def check_pair(engine: str, precision: str) -> tuple[EngineName, Precision]:
    """The pair, if there is such an engine and it computes in this format.

    Raises:
        ConfigError: It does not.
    """
    pairs: dict[tuple[str, str], tuple[EngineName, Precision]] = {
        (name, known): (name, known) for name in ENGINES for known in ENGINES[name]
    }
    if (engine, precision) in pairs:
        return pairs[engine, precision]
    if engine not in ENGINES:
        raise ConfigError(f"engine = '{engine}': use {', '.join(ENGINES)} or auto")
    able = [name for name, known in pairs if known == precision]
    if not able:
        raise ConfigError(f"precision = '{precision}': use {', '.join(ENGINES['openvino'])}")
    raise ConfigError(f"engine '{engine}' does not compute in {precision}: use engine '{able[-1]}'")
