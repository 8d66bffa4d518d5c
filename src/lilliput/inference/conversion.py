"""Networks into the files of other engines, each with the description that makes it a model."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args

import torch

from lilliput.checkpoint import DOCUMENT_KEY, Checkpoint, Description, read_document
from lilliput.errors import CheckpointError, ConfigError
from lilliput.inference.engines import EngineName, Precision, import_extra
from lilliput.inference.engines.openvino import openvino_core

PRECISION_KEY = "lilliput_precision"


def write_onnx(checkpoint: Checkpoint, path: Path, engine: EngineName = "onnx") -> None:
    """Writes the network, with a dynamic batch, and its description.

    Args:
        checkpoint: The network.
        path: The file.
        engine: Which one reads it; its extra is named where a package is missing.

    Raises:
        ConfigError: A package is missing, or only PyTorch computes the model.
    """
    check_convertible(checkpoint, engine)
    onnx = import_extra(engine, "onnx")
    import_extra(engine, "onnxscript")
    batch = torch.export.Dim("batch", min=1, max=2**15)
    with _quiet():
        exported = torch.export.export(
            checkpoint.build_model(),
            (torch.zeros(2, *checkpoint.clip_shape),),
            dynamic_shapes=({0: batch},),
        )
        program = torch.onnx.export(
            exported, (), dynamo=True, verbose=False, input_names=["clips"], output_names=["logits"]
        )
    assert program is not None
    program.model.metadata_props[DOCUMENT_KEY] = checkpoint.to_json()
    program.model.metadata_props[PRECISION_KEY] = "fp32"
    program.save(path)
    onnx.checker.check_model(path)


def is_convertible(description: Description) -> bool:
    """Whether other engines than PyTorch can compute the model."""
    model = description.config.model
    return model.name != "idt" and model.front_end != "registered"


def check_convertible(description: Description, engine: EngineName) -> None:
    """Refuses a model that only PyTorch computes.

    Raises:
        ConfigError: It is one.
    """
    if description.config.model.name == "idt":
        raise ConfigError(
            "hand-crafted features (model.name = 'idt') are no network that other engines run; "
            "use the checkpoint with engine 'torch'"
        )
    if not is_convertible(description):
        raise ConfigError(
            "model.front_end = 'registered' solves for the motion of each clip, which engine "
            f"'{engine}' cannot; use engine 'torch', or another front end"
        )


def write_openvino(
    network: Any, description: Description, precision: Precision, path: Path
) -> None:
    """Writes an OpenVINO network, its weights beside it as ``.bin``, and its description.

    Weights of a bf16 model are stored in 16 bits: fp16, which keeps more of them than bf16 uses.
    """
    openvino = import_extra("openvino", "openvino")
    network.set_rt_info(description.to_json(), DOCUMENT_KEY)
    network.set_rt_info(precision, PRECISION_KEY)
    openvino.save_model(network, path, compress_to_fp16=precision == "bf16")


def read_openvino(path: Path) -> Any:
    """An OpenVINO network from an ``.xml`` or ``.onnx`` file."""
    return openvino_core().read_model(path)


def read_description(path: Path) -> tuple[Description, Precision]:
    """What an exported model says of itself.

    Raises:
        CheckpointError: The file is damaged, or was not exported by this version of Lilliput.
    """
    if not path.is_file():
        raise CheckpointError(f"{path}: no such model")
    texts = _onnx_metadata(path) if path.suffix == ".onnx" else _openvino_metadata(path)
    if not texts.get(DOCUMENT_KEY):
        raise CheckpointError(f"{path}: has no description; give a file of `lilliput export`")
    try:
        description = read_document(texts[DOCUMENT_KEY])
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from None
    precision = texts.get(PRECISION_KEY)
    if precision not in get_args(Precision):
        raise CheckpointError(f"{path}: made for an unknown precision ({precision}); export again")
    return description, precision  # type: ignore[return-value]


def _onnx_metadata(path: Path) -> dict[str, str]:
    onnx = import_extra("onnx", "onnx")
    try:
        model = onnx.load(path, load_external_data=False)
    except Exception as error:  # protobuf's, of which onnx promises none
        raise CheckpointError(f"{path}: not a readable ONNX file ({error})") from None
    return {entry.key: entry.value for entry in model.metadata_props}


def _openvino_metadata(path: Path) -> dict[str, str]:
    weights = path.with_suffix(".bin")
    if not weights.is_file():
        raise CheckpointError(f"{weights}: missing; an OpenVINO model is an .xml and a .bin file")
    try:
        network = read_openvino(path)
    except RuntimeError as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[-1]
        raise CheckpointError(f"{path}: not a readable OpenVINO file ({reason})") from None
    keys = (DOCUMENT_KEY, PRECISION_KEY)
    return {key: network.get_rt_info(key).astype(str) for key in keys if network.has_rt_info(key)}


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter's words on its own progress and internals help nobody."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=FutureWarning, module=r"torch\..*|onnxscript.*")
        warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"torch\.|copyreg")
        yield
