import json
import pickle
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from lilliput.checkpoint import Checkpoint, find_checkpoint, load_checkpoint, save_checkpoint
from lilliput.config import change_settings
from lilliput.errors import CheckpointError, ConfigError
from lilliput.video.normalisation import Normalisation


def _document(path: Path) -> dict:
    """Without its checksum."""
    with safe_open(path, framework="pt") as file:
        document = json.loads(file.metadata()["lilliput"])
    del document["sha256"]
    return document


def _rewrite(source: Path, path: Path, document: object, **weights: torch.Tensor) -> Path:
    text = document if isinstance(document, str) else json.dumps(document)
    save_file(load_file(source) | weights, path, metadata={"lilliput": text})
    return path


def _refusal(path: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message


def test_everything_comes_back_exactly(micro_checkpoint: Checkpoint, tmp_path: Path) -> None:
    saved = replace(
        micro_checkpoint,
        normalisation=Normalisation((0.1, 0.2, 0.3), (1 / 3, 0.5, 0.7), per_clip=True),
        thresholds=(1 / 3, 0.0, 1.0),
        metrics={"val": {"macro": {"f1": 1 / 7}, "names": ["é", None]}},
        note='a "note"\nof two lines',
    )
    save_checkpoint(saved, tmp_path / "a.safetensors")
    loaded = load_checkpoint(tmp_path / "a.safetensors")
    assert replace(loaded, state={}) == replace(saved, state={})
    assert loaded.labels.flip_pairs == ((1, 2),)
    assert loaded.state.keys() == saved.state.keys()
    for name, weight in saved.state.items():
        assert loaded.state[name].dtype == weight.dtype
        assert torch.equal(loaded.state[name], weight)


def test_the_loaded_network_computes_the_same(
    micro_checkpoint: Checkpoint, micro_file: Path
) -> None:
    clips = torch.rand(2, 3, 4, 14, 14, generator=torch.Generator().manual_seed(0))
    models = micro_checkpoint.build_model(), load_checkpoint(micro_file).build_model()
    assert not any(model.training for model in models)
    with torch.inference_mode():
        ours, theirs = (model(clips) for model in models)
    assert torch.equal(ours, theirs)


def test_weights_in_any_memory_layout_can_be_saved(
    micro_checkpoint: Checkpoint, tmp_path: Path
) -> None:
    model = micro_checkpoint.build_model().to(memory_format=torch.channels_last_3d)
    save_checkpoint(replace(micro_checkpoint, state=model.state_dict()), tmp_path / "a.safetensors")
    loaded = load_checkpoint(tmp_path / "a.safetensors")
    assert torch.equal(loaded.state["head.fc.weight"], micro_checkpoint.state["head.fc.weight"])


def test_other_tools_can_read_the_file(micro_checkpoint: Checkpoint, micro_file: Path) -> None:
    document = _document(micro_file)
    assert document["class_names"] == ["[Sit]", "turn_left", "turn_right"]
    assert document["thresholds"] == [0.25, 0.5, 0.625]
    assert document["config"]["model"]["input_size"] == 14
    assert load_file(micro_file).keys() == micro_checkpoint.state.keys()


def test_mirrored_outputs_are_exchanged_unless_the_recipe_keeps_labels(
    micro_checkpoint: Checkpoint,
) -> None:
    assert micro_checkpoint.flip_pairs == ((1, 2),)
    augment = micro_checkpoint.config.augment.model_copy(update={"flip_labels": "keep"})
    config = micro_checkpoint.config.model_copy(update={"augment": augment})
    assert replace(micro_checkpoint, config=config).flip_pairs == ()


def test_a_failed_write_leaves_the_old_file(
    micro_checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.safetensors"
    save_checkpoint(micro_checkpoint, path)
    before = path.read_bytes()

    def fill_the_disk(state: object, target: Path, metadata: object) -> None:
        Path(target).write_bytes(b"half")
        raise OSError("no space left")

    monkeypatch.setattr("lilliput.checkpoint.save_file", fill_the_disk)
    with pytest.raises(OSError, match="no space"):
        save_checkpoint(replace(micro_checkpoint, note="new"), path)
    assert path.read_bytes() == before


def test_a_second_write_replaces_the_file(micro_checkpoint: Checkpoint, tmp_path: Path) -> None:
    for note in ("old", "new"):
        save_checkpoint(replace(micro_checkpoint, note=note), tmp_path / "a.safetensors")
    assert load_checkpoint(tmp_path / "a.safetensors").note == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["a.safetensors"]


def test_a_place_that_cannot_be_written_is_named(
    micro_checkpoint: Checkpoint, tmp_path: Path
) -> None:
    with pytest.raises(CheckpointError, match=r"none/a\.safetensors: cannot be written \("):
        save_checkpoint(micro_checkpoint, tmp_path / "none" / "a.safetensors")


def test_a_run_folder_stands_for_its_best_model(micro_file: Path, tmp_path: Path) -> None:
    assert find_checkpoint(micro_file.parent) == micro_file
    assert load_checkpoint(str(micro_file.parent)).note == "for tests"
    with pytest.raises(CheckpointError, match=r"best\.safetensors: no such checkpoint"):
        load_checkpoint(tmp_path)


def test_a_missing_file_names_what_ships(tmp_path: Path) -> None:
    assert "no such checkpoint; shipped ones are: " in _refusal(tmp_path / "a.safetensors")


@pytest.mark.parametrize("kept", [0, 4, 100, -1000])
def test_a_truncated_file(micro_file: Path, tmp_path: Path, kept: int) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(micro_file.read_bytes()[:kept])
    assert "not a readable safetensors file (" in _refusal(path)


@pytest.mark.parametrize("position", [0, 8, 9])
def test_a_damaged_header(micro_file: Path, tmp_path: Path, position: int) -> None:
    content = bytearray(micro_file.read_bytes())
    content[position] ^= 0xFF
    (tmp_path / "a.safetensors").write_bytes(content)
    assert "not a readable safetensors file (" in _refusal(tmp_path / "a.safetensors")


class _Trap:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.path,)


def test_a_pickle_is_refused_and_not_executed(tmp_path: Path) -> None:
    sprung = tmp_path / "sprung"
    path = tmp_path / "a.safetensors"
    path.write_bytes(pickle.dumps(_Trap(sprung)))
    assert "not a readable safetensors file" in _refusal(path)
    torch.save({"state_dict": _Trap(sprung)}, path)
    assert "not a readable safetensors file" in _refusal(path)
    assert not sprung.exists()
    pickle.loads(pickle.dumps(_Trap(sprung)))
    assert sprung.exists()  # the trap works


def test_weights_of_another_tool(tmp_path: Path) -> None:
    save_file({"conv1.weight": torch.zeros(3)}, tmp_path / "a.safetensors")
    assert "holds weights only" in _refusal(tmp_path / "a.safetensors")


def test_a_newer_version(micro_file: Path, tmp_path: Path) -> None:
    document = _document(micro_file) | {"version": 2}
    path = _rewrite(micro_file, tmp_path / "a.safetensors", document)
    assert "written in format 2, this Lilliput reads 1; update Lilliput" in _refusal(path)


@pytest.mark.parametrize(
    "key", ["config", "class_names", "flip_pairs", "normalisation", "thresholds", "clip_seconds"]
)
def test_an_incomplete_description(micro_file: Path, tmp_path: Path, key: str) -> None:
    document = _document(micro_file)
    del document[key]
    path = _rewrite(micro_file, tmp_path / "a.safetensors", document)
    assert f"its description is incomplete ({key}: Field required)" in _refusal(path)


@pytest.mark.parametrize("text", ["", "{", "[1]", "3"])
def test_a_description_of_another_form(micro_file: Path, tmp_path: Path, text: str) -> None:
    assert "incomplete" in _refusal(_rewrite(micro_file, tmp_path / "a.safetensors", text))


def test_thresholds_of_another_number(micro_file: Path, tmp_path: Path) -> None:
    document = _document(micro_file) | {"thresholds": [0.5]}
    path = _rewrite(micro_file, tmp_path / "a.safetensors", document)
    assert "1 thresholds for 3 classes" in _refusal(path)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("thresholds", ["0.5", 0.5, 0.5]),
        ("thresholds", [float("nan"), 0.5, 0.5]),
        ("class_names", [1, 2, 3]),
        ("flip_pairs", [["a", "b"]]),
        ("flip_pairs", [[0, 3]]),
        ("flip_pairs", [[0]]),
        ("clip_seconds", "1"),
        ("clip_seconds", float("inf")),
        ("clip_seconds", 1e9),
        ("clip_seconds", 0),
        ("normalisation", {"mean": [0, 0, 0], "std": "a", "per_clip": False}),
        ("normalisation", {"mean": [0, 0, 0], "std": [1, 1], "per_clip": False}),
        ("normalisation", {"mean": [0, 0, 0], "std": [1, 1, 0], "per_clip": False}),
        ("normalisation", {"mean": [0, 0, float("inf")], "std": [1, 1, 1], "per_clip": False}),
        ("metrics", []),
        ("note", 3),
        ("config", []),
    ],
)
def test_parts_of_another_type(micro_file: Path, tmp_path: Path, key: str, value: object) -> None:
    path = _rewrite(micro_file, tmp_path / "a.safetensors", _document(micro_file) | {key: value})
    assert "its description is incomplete (" in _refusal(path)


def test_a_changed_weight_is_noticed(micro_file: Path, tmp_path: Path) -> None:
    """A file of before there were checksums is read as it is."""
    with safe_open(micro_file, framework="pt") as file:
        metadata = file.metadata()
    weights = load_file(micro_file)
    weights["head.fc.bias"][0] += 1e-3
    path = tmp_path / "a.safetensors"
    save_file(weights, path, metadata=metadata)
    assert "damaged, its checksum differs" in _refusal(path)
    other = json.dumps(json.loads(metadata["lilliput"]) | {"note": "another"})
    assert "damaged, its checksum differs" in _refusal(_rewrite(micro_file, path, other))
    unsigned = _document(micro_file) | {"note": "another"}
    assert load_checkpoint(_rewrite(micro_file, path, unsigned)).note == "another"


def test_a_setting_of_a_newer_lilliput(micro_file: Path, tmp_path: Path) -> None:
    document = _document(micro_file)
    document["config"]["model"]["name"] = "vivit"
    path = _rewrite(micro_file, tmp_path / "a.safetensors", document)
    assert "model.name = 'vivit': input should be 'resnet3d'" in _refusal(path)


def test_a_network_whose_package_is_missing(
    micro_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(*_: object) -> None:
        raise ConfigError("needs the package timm")

    monkeypatch.setattr("lilliput.checkpoint.build_model", build)
    assert _refusal(micro_file) == f"{micro_file}: needs the package timm"


def test_weights_of_another_shape(micro_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    _rewrite(micro_file, path, _document(micro_file), **{"head.fc.bias": torch.zeros(7)})
    assert "the weights do not fit the network: size mismatch for head.fc.bias" in _refusal(path)
    document = _document(micro_file) | {"class_names": ["a"], "thresholds": [0.5], "flip_pairs": []}
    assert "size mismatch for head.fc" in _refusal(_rewrite(micro_file, path, document))


def test_how_clips_are_taken_and_resized_travels_and_older_files_keep_their_way(
    micro_checkpoint: Checkpoint, micro_file: Path, tmp_path: Path
) -> None:
    settings = ["sampling.method=random", "sampling.evaluation=all", "model.resize=square"]
    config = change_settings(micro_checkpoint.config, settings)
    save_checkpoint(replace(micro_checkpoint, config=config), tmp_path / "a.safetensors")
    loaded = load_checkpoint(tmp_path / "a.safetensors").config
    assert (loaded.sampling.evaluation, loaded.model.resize) == ("all", "square")
    document = _document(micro_file)
    del document["config"]["sampling"]["evaluation"], document["config"]["model"]["resize"]
    del document["config"]["training"]["keep"]
    old = load_checkpoint(_rewrite(micro_file, tmp_path / "old.safetensors", document)).config
    assert (old.sampling.evaluation, old.model.resize) == ("centre", "short_side")
