"""What is no weights of the model is refused in one line, and leaves the model as it was."""

import pickle
from pathlib import Path
from urllib.error import URLError

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from lilliput.errors import CheckpointError, ConfigError, LilliputError
from lilliput.models.heads import Classifier, LinearHead
from lilliput.models.pretrained import load_pretrained
from lilliput.models.resnet3d import ResNet3d


def build(depth: int = 18, width: int = 8) -> Classifier:
    backbone = ResNet3d(depth=depth, width=width)
    return Classifier(backbone, LinearHead(backbone.out_channels[-1], 3))


def write(path: Path, depth: int = 18, width: int = 8) -> Path:
    torch.save({"state_dict": ResNet3d(depth=depth, width=width).state_dict()}, path)
    return path


def refusal(model: nn.Module, source: Path | str) -> str:
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(LilliputError) as caught:
        load_pretrained(model, str(source))
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    message = str(caught.value)
    assert "\n" not in message
    assert Path(source).name in message
    return message


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\xff" * 500,
        b"PK\x03\x04 half a zip archive",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 5\n",
        b"<!DOCTYPE html><html>Not found</html>",
        pickle.dumps([1, 2, 3]),
        pickle.dumps({"a": 1}),
    ],
)
@pytest.mark.parametrize("suffix", ["pth", "pt", "safetensors"])
def test_files_that_hold_no_weights(tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"r3d18.{suffix}"
    path.write_bytes(content)
    refusal(build(), path)


class Payload:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.marker,)


@pytest.mark.parametrize("as_archive", [True, False])
def test_code_in_a_file_is_not_run(tmp_path: Path, as_archive: bool) -> None:
    marker, path = tmp_path / "executed", tmp_path / "evil.pth"
    torch.save(
        {"state_dict": {"conv1.weight": Payload(marker)}},
        path,
        _use_new_zipfile_serialization=as_archive,
    )
    assert "never run" in refusal(build(), path)
    assert not marker.exists()
    torch.load(path, weights_only=False)  # it would have
    assert marker.exists()


def test_an_unrelated_state_dict(tmp_path: Path) -> None:
    for content in ({"encoder.weight": torch.zeros(3, 3)}, {1: torch.zeros(3)}, {}):
        torch.save(content, tmp_path / "other.pth")
        assert "no network known here" in refusal(build(), tmp_path / "other.pth")


@pytest.mark.parametrize(
    ("file", "model", "expected"),
    [
        (50, 18, "layer1.0.conv1.weight is 8 x 8 x 1 x 1 x 1"),
        (18, 50, "layer1.0.conv1.weight is 8 x 8 x 3 x 3 x 3"),
        (34, 18, "no place for layer1.2.conv1.weight"),
        (18, 34, "nothing for the model's backbone.layer1.2.conv1.weight"),
    ],
)
def test_weights_of_another_depth(tmp_path: Path, file: int, model: int, expected: str) -> None:
    message = refusal(build(model), write(tmp_path / "r3d.pth", file))
    assert expected in message
    assert "depth" in message


@pytest.mark.parametrize(("file", "model"), [(64, 8), (8, 16)])
def test_weights_of_another_width(tmp_path: Path, file: int, model: int) -> None:
    message = refusal(build(width=model), write(tmp_path / "r3d.pth", width=file))
    assert f"conv1.weight is {file} x 3 x 7 x 7 x 7" in message
    assert "model.width = 64" in message


def test_a_lilliput_model_of_another_kind(tmp_path: Path) -> None:
    path = tmp_path / "best.safetensors"
    save_file(build(34).state_dict(), path, metadata={"lilliput": "{}"})
    assert "no place" in refusal(build(18), path)
    save_file(build(50).state_dict(), path, metadata={"lilliput": "{}"})
    assert "depth" in refusal(build(18), path)
    save_file({"net.weight": torch.zeros(2)}, path, metadata={"lilliput": "{}"})
    assert "nothing for" in refusal(build(18), path)
    unknown = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    assert "4 tensors of the model have no counterpart" in refusal(unknown, path)


def test_a_part_of_the_weights(tmp_path: Path) -> None:
    state = ResNet3d(width=8).state_dict()
    torch.save({n: t for n, t in state.items() if not n.startswith("layer4")}, tmp_path / "p.pth")
    assert "layer4" in refusal(build(), tmp_path / "p.pth")


def test_a_model_that_has_no_public_weights(tmp_path: Path) -> None:
    path = write(tmp_path / "r3d.pth")
    with pytest.raises(ConfigError, match=r"training\.pretrained .* Linear"):
        load_pretrained(nn.Linear(2, 2), str(path))


def test_a_missing_file_names_the_remedy() -> None:
    published = refusal(build(), "weights/r3d18_K_200ep.pth")
    assert "weights/r3d18_K_200ep.pth: no such file" in published
    assert "kenshohara/3D-ResNets-PyTorch" in published
    assert '--set training.pretrained=""' in published
    assert "r2plus1d_18" in refusal(build(), "r3d_81")


def test_a_failed_download_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(url: str, **options: object) -> None:
        assert options["weights_only"]
        raise URLError("no route to host")

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", offline)
    message = refusal(build(), "r3d_18")
    assert "no route to host" in message
    assert "https://" in message
    refusal(build(), "R3D_18_Weights.KINETICS400_V1")
    with pytest.raises(CheckpointError, match="no such weights"):
        load_pretrained(build(), "R3D_18_Weights.KINETICS999")
