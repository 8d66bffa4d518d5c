"""Half precision is used where its gradients are right, and nowhere else."""

import pytest
import torch

from lilliput.builders import build_model
from lilliput.config import ModelConfig, TrainingConfig
from lilliput.errors import ConfigError
from lilliput.losses import BinaryCrossEntropy
from lilliput.training.module import ActionModule, _channels_last
from lilliput.training.precision import resolve_precision


def _machine(monkeypatch: pytest.MonkeyPatch, *, cuda: bool, bf16: bool = False) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: bf16)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.mark.parametrize(
    ("cuda", "bf16", "accelerator", "expected"),
    [
        (True, True, "auto", "bf16"),
        (True, True, "gpu", "bf16"),
        (True, True, "cpu", "fp32"),
        (True, False, "auto", "fp32"),
        (False, False, "auto", "fp32"),
    ],
)
def test_auto_is_bf16_on_gpus_that_have_it(
    monkeypatch: pytest.MonkeyPatch, cuda: bool, bf16: bool, accelerator: str, expected: str
) -> None:
    _machine(monkeypatch, cuda=cuda, bf16=bf16)
    assert resolve_precision(TrainingConfig(accelerator=accelerator)) == expected


@pytest.mark.parametrize(("cuda", "accelerator"), [(False, "auto"), (True, "cpu")])
@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_cpus_refuse_half_precision(
    monkeypatch: pytest.MonkeyPatch, cuda: bool, accelerator: str, precision: str
) -> None:
    _machine(monkeypatch, cuda=cuda, bf16=True)
    with pytest.raises(ConfigError, match=f"training.precision = '{precision}'"):
        resolve_precision(TrainingConfig(accelerator=accelerator, precision=precision))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
@pytest.mark.parametrize("adapted", [True, False])
def test_bf16_gradients_on_a_gpu_point_where_fp32_ones_do(adapted: bool) -> None:
    config = ModelConfig(width=8, input_size=28, adapted=adapted)
    torch.manual_seed(0)
    clips, targets = torch.randn(8, 3, 16, 28, 28).cuda(), torch.randint(0, 2, (8, 4)).float()
    loss = BinaryCrossEntropy()
    network = ActionModule(
        build_model(config, 4), loss, TrainingConfig(), targets.bool()
    ).model.cuda()
    gradients = []
    for half in (False, True):
        network.zero_grad()
        with torch.autocast("cuda", torch.bfloat16, enabled=half):
            logits = network(_channels_last(clips))
        loss(logits.float(), targets.cuda()).backward()
        gradients.append(torch.cat([weight.grad.flatten() for weight in network.parameters()]))
    single, half = gradients
    assert torch.isfinite(half).all()
    assert torch.nn.functional.cosine_similarity(single, half, dim=0) > 0.95
