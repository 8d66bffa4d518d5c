import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lilliput.builders import MODELS, build_model
from lilliput.checkpoint import Checkpoint, save_checkpoint
from lilliput.cli.info import measure_config
from lilliput.config import ModelConfig

RunCli = Callable[..., tuple[int, str, str]]


def _fact(out: str, name: str) -> str:
    """The value beside a name in a printed table."""
    (line,) = [line for line in out.splitlines() if line.startswith(f"│ {name}")]
    return line.split("│")[2].strip()


def test_a_network_by_name(run_cli: RunCli) -> None:
    settings = ("--set", "model.depth=50", "--set", "model.adapted=true")
    code, out, _ = run_cli("info", "resnet3d", *settings)
    assert code == 0
    assert _fact(out, "parameters") == "46.25 M"  # the published network, for 26 classes
    assert _fact(out, "GMACs per clip of 16 frames").startswith("39.85")
    assert re.search(r"stage 4 +│ 1×7×7×2048", out)


@pytest.mark.parametrize("name", ["multiscale", "frame_resnet", "c3d", "p3d", "video_vit"])
def test_networks_that_take_other_settings(name: str, run_cli: RunCli) -> None:
    code, out, err = run_cli("info", name)
    assert code == 0, err
    settings = {"multiscale": {"input_sizes": (14, 56, 112)}, "p3d": {"depth": 50}}.get(name, {})
    model = build_model(ModelConfig(name=name, **settings), num_classes=26)
    assert _fact(out, "parameters") == f"{sum(p.numel() for p in model.parameters()) / 1e6:.2f} M"


def test_streams_and_levels_of_a_recipe(run_cli: RunCli) -> None:
    recipe = "thesis/table_4_04/multiscale_fpn_resnet18"
    code, out, _ = run_cli("info", recipe, "--set", "model.width=8")
    assert code == 0
    for part in ("14 px stream", "56 px stream", "112 px stream", "concatenation", "pyramid"):
        assert f"│ {part} " in out
    assert re.search(r"p2 +│ 8×28×28×16 ", out)


def test_a_recipe_file_with_its_own_number_of_frames(micro_recipe: Path, run_cli: RunCli) -> None:
    code, out, _ = run_cli("info", micro_recipe)
    assert code == 0
    assert "GMACs per clip of 4 frames" in out
    assert re.search(r"conv1 +│ 4×14×14×4 ", out)


def test_a_checkpoint_is_measured_with_its_own_classes(micro_file: Path, run_cli: RunCli) -> None:
    code, out, _ = run_cli("info", micro_file.parent)
    assert code == 0
    config = ModelConfig(width=4, input_size=14, adapted=True)
    facts = measure_config(config, num_classes=3, num_frames=4)
    assert _fact(out, "GMACs per clip of 4 frames").startswith(f"{facts.macs / 1e9:.2f}")
    assert _fact(out, "kept of each clip in training") == f"{facts.training_mib:.1f} MiB"
    assert "turn_left" in out
    assert re.search(r"stage 4 +│ 1×7×7×32 ", out)


def test_the_overview_lists_the_networks(run_cli: RunCli) -> None:
    _, out, _ = run_cli("info")
    listed = " ".join(out.partition("networks: ")[2].partition("shipped")[0].split())
    assert listed.split(", ") == list(MODELS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fpm"], "fpm: no such checkpoint, network or recipe; nearest is 'fpn'"),
        (["thesis/table_4_5/fpn_ad_resnet18_flip"], "'thesis/table_4_05/fpn_ad_resnet18_flip'"),
        (["syntetic"], "nearest is 'synthetic'"),
        (["synthetic", "--set", "model.width=4"], "synthetic is a checkpoint"),
        (["mvit", "--set", "model.depth=50"], "has no effect on mvit"),
        (["fpn", "--set", "model.deth=50"], "nearest is 'model.depth'"),
    ],
)
def test_mistakes_are_one_line(arguments: list[str], message: str, run_cli: RunCli) -> None:
    code, _, err = run_cli("info", *arguments)
    assert code == 2
    (line,) = err.splitlines()
    assert line.startswith("error: ")
    assert message in line


@pytest.mark.parametrize(("limit", "words"), [(0.25, "25.0 %"), (0.0, "never")])
def test_a_checkpoint_of_one_label_per_clip(
    limit: float, words: str, micro_checkpoint: Checkpoint, tmp_path: Path, run_cli: RunCli
) -> None:
    config = micro_checkpoint.config.model_copy(update={"task": "single"})
    metrics = {"val": {"macro": {"f1": 0.5}, "classification": {"top1": 0.625}}}
    checkpoint = replace(micro_checkpoint, config=config, metrics=metrics, thresholds=(limit,) * 3)
    save_checkpoint(checkpoint, tmp_path / "best.safetensors")
    code, out, _ = run_cli("info", tmp_path)
    assert code == 0
    assert _fact(out, "task") == "one label per clip"
    assert _fact(out, "unknown below") == words
    assert _fact(out, "top-1 on val") == "62.5 %"
    assert "threshold" not in out


def test_a_checkpoint_of_any_number_of_labels(micro_file: Path, run_cli: RunCli) -> None:
    _, out, _ = run_cli("info", micro_file)
    assert _fact(out, "task") == "any number of labels per clip"
    assert re.search(r"turn_left +│ 0\.500 ", out)
    assert "top-1" not in out
