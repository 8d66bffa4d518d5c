"""Every network's parameters, stage by stage, and which of them are the classifier's."""

import pytest
import torch
from torch import nn

from lilliput.builders import MODELS, build_model
from lilliput.config import ModelConfig
from lilliput.models.stages import find_classifier, parameters_by_stage

NETWORKS = set(MODELS) - {"idt"}  # whose one layer is fitted whole
SIZES = {"input_size": 28, "input_sizes": (14, 28)}
# Number of stages with the stem and the classifier; prefixes of the classifier's parameters.
EXPECTED = {
    "resnet3d": ({"classifier": "filter_bank"}, 6, ("head.",)),
    "multiscale": (SIZES, 6, ("head.",)),
    "fpn": ({"backbone": "r2plus1d"}, 6, ("pyramid.", "heads.")),
    "multiscale_fpn": (SIZES, 6, ("pyramid.", "heads.")),
    "image_pyramid": (SIZES, 6, ("head.",)),
    "deepvideo": ({"fusion": "slow"}, 6, ("classifier.",)),
    "p3d": ({"depth": 50}, 6, ("head.",)),
    "frame_resnet": ({}, 6, ("net.fc.",)),
    "c3d": ({}, 6, ("classifier.",)),
    "i3d": ({"input_size": 28}, 11, ("net.fc.",)),
    "r2plus1d": ({"layout": "kenshohara"}, 6, ("head.",)),
    "mvit": ({}, 18, ("net.norm.", "net.head.")),
    "video_vit": ({"class_token": True, "stem": "conv"}, 13, ("fc.", "encoder.ln.")),
}


def build(name: str) -> nn.Module:
    settings: dict[str, object] = {"name": name, "input_size": 14}
    if name not in ("i3d", "mvit", "frame_resnet"):
        settings["width"] = 4
    settings.update(EXPECTED[name][0])
    if "backbone" in settings:
        settings.pop("width")
    return build_model(ModelConfig(**settings), 3, num_frames=4)


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_every_parameter_has_one_stage_and_the_last_is_the_classifier(name: str) -> None:
    model = build(name)
    _, count, prefixes = EXPECTED[name]
    stages = parameters_by_stage(model)
    assert len(stages) == count
    assert all(stages)
    names = {id(parameter): key for key, parameter in model.named_parameters()}
    grouped = [names[id(parameter)] for stage in stages for parameter in stage]
    assert sorted(grouped) == sorted(names.values())
    last = {names[id(parameter)] for parameter in stages[-1]}
    assert last == {key for key in names.values() if key.startswith(prefixes)}
    assert last == {names[id(parameter)] for parameter in find_classifier(model).parameters()}


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_the_stages_are_in_forward_order(name: str) -> None:
    model = build(name).train()
    size = 28 if "input_size" in EXPECTED[name][0] else 14
    ran: list[int] = []
    place = {
        id(parameter): number
        for number, stage in enumerate(parameters_by_stage(model))
        for parameter in stage
    }
    for module in model.modules():
        own = [place[id(parameter)] for parameter in module.parameters(recurse=False)]
        if own:
            assert len(set(own)) == 1
            module.register_forward_pre_hook(lambda *_, number=own[0]: ran.append(number))
    model(torch.randn(2, 3, 4, size, size))
    passes = 2 if name == "image_pyramid" else 1  # one for each of its sizes
    assert ran == sorted(ran[: len(ran) // passes]) * passes
    assert len(set(ran)) == EXPECTED[name][1]


def test_dropout_belongs_to_the_classifier() -> None:
    for name in NETWORKS:
        if name == "mvit":
            continue  # its blocks have stochastic depth instead, its head a dropout
        found = find_classifier(build(name)).modules()
        assert any(isinstance(module, nn.Dropout) for module in found), name


def test_a_copy_of_the_last_stage_learns_with_the_last_stage() -> None:
    config = ModelConfig(
        input_size=14, width=4, classifier="filter_bank", local_branch="stage", dropout=0.5
    )
    model = build_model(config, 3, num_frames=4).train()
    stages = parameters_by_stage(model)
    last = {id(parameter) for parameter in stages[4]}
    head = model.get_submodule("head")
    copies = [*model.get_submodule("backbone.layer4").parameters(), *head.local_branch.parameters()]
    assert last == {id(parameter) for parameter in copies}
    classifier = [*head.global_branch.parameters(), *head.bank.parameters()]
    assert {id(parameter) for parameter in stages[5]} == {id(one) for one in classifier}
    assert sum(map(len, stages)) == len(list(model.parameters()))
    found = find_classifier(model)
    assert any(isinstance(module, nn.Dropout) for module in found.modules())
    assert {id(one) for one in found.parameters()} == {id(one) for one in classifier}


def test_another_network_has_no_stages() -> None:
    with pytest.raises(TypeError, match="Linear has no stages"):
        parameters_by_stage(nn.Linear(1, 1))


def test_an_efficientnet_has_a_stage_for_each_of_its_seven() -> None:
    pytest.importorskip("timm")
    config = ModelConfig(name="fpn", backbone="efficientnet_lite0", fpn_channels=8, input_size=56)
    model = build_model(config, 3, num_frames=4)
    stages = parameters_by_stage(model)
    assert len(stages) == 9
    assert stages[0][0] is model.backbone.net.conv_stem.weight
    assert sum(map(len, stages)) == len(list(model.parameters()))
