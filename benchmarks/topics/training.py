"""Training steps: ours against the loop of torchvision's reference, on the same network."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import nn
from torchvision.models.video import r3d_18

from benchmarks.clips import synthetic_clips
from benchmarks.context import Context
from benchmarks.networks import AD_R18, FPN_AD_R18, NUM_CLASSES, R18, count_operations, make_config
from benchmarks.tables import Claim, Row, Table, make_rows
from benchmarks.timing import in_one_line, interleave
from benchmarks.topics.limits import FP32, GPU_BF16
from lilliput.builders import build_model
from lilliput.config import TrainingConfig
from lilliput.data import VideoDataset, read_dataset
from lilliput.data.loading import Batch
from lilliput.losses import BinaryCrossEntropy
from lilliput.training.module import ActionModule
from lilliput.training.precision import resolve_precision

Step = Callable[[], object]


@dataclass(frozen=True)
class _Setting:
    """What all steps share."""

    device: str
    batch: int
    side: int

    @property
    def clips(self) -> torch.Tensor:
        """(N, 3, 16, S, S)."""
        torch.manual_seed(0)
        return torch.randn(self.batch, 3, 16, self.side, self.side, device=self.device)

    @property
    def targets(self) -> torch.Tensor:
        """(N, K) of 0 and 1."""
        return (torch.rand(self.batch, NUM_CLASSES, device=self.device) < 0.1).float()


def run(context: Context) -> list[Table]:
    if not torch.cuda.is_available():
        return [_steps(context, _Setting("cpu", 2, context.count(112, 28)))]
    return [_steps(context, _Setting("cuda", 24, 112)), _feeding(context)]


def _steps(context: Context, setting: _Setting) -> Table:
    on_gpu = setting.device == "cuda"
    networks: dict[str, Callable[[], nn.Module]] = {
        "torchvision r3d_18": lambda: r3d_18(num_classes=NUM_CLASSES),
        "R18": lambda: _ours(R18, setting),
        "AD-R18": lambda: _ours(AD_R18, setting),
    }
    if on_gpu:
        networks["FPN AD-R18"] = lambda: _ours(FPN_AD_R18, setting)
    cases, notes, ours, shares = {}, {}, set(), {}
    peak = context.limits.get(GPU_BF16 if on_gpu else FP32)
    for name, make in networks.items():
        reference, mine = f"{name}, reference loop", f"{name}, Lilliput's step"
        if name != "FPN AD-R18":
            cases[reference] = _reference_step(make(), setting, amp=False)
        if on_gpu and name == "torchvision r3d_18":
            amp = f"{name}, reference loop with --amp"
            cases[amp] = _reference_step(make(), setting, amp=True)
        cases[mine] = _our_step(make(), setting)
        macs = count_operations(make(), (3, 16, setting.side, setting.side)) / 2
        ours.add(mine)
        for case in (reference, mine):
            notes[case] = f"{macs / 1e9:.1f} GMAC a clip"
            if peak:
                shares[case] = 3 * 2 * macs * setting.batch / peak  # forward, and twice it back
    results = interleave(cases, budget_seconds=context.seconds(80), max_rounds=8)
    reference, mine = (
        f"torchvision r3d_18, {loop}" for loop in ("reference loop", "Lilliput's step")
    )
    rows = make_rows(results, ours=ours, notes=notes, shares=shares)
    rows = tuple(
        replace(row, samples=tuple(setting.batch / s for s in row.samples)) for row in rows
    )
    precision = resolve_precision(TrainingConfig())
    return Table(
        f"Training step, {'GPU' if on_gpu else 'CPU'}",
        f"Forward, backward and update of {setting.batch} clips of 16×{setting.side}×"
        f"{setting.side}, constant input, binary cross entropy. The reference's loop: fp32, "
        f"contiguous layout. Lilliput's step: its `ActionModule`, channels-last convolutions, "
        f"{precision}. Both with AdamW, for the reference's SGD is another training.",
        "clips/s",
        rows,
        baseline=reference,
        higher_is_better=True,
        limit=f"the measured {'bf16' if on_gpu else 'fp32'} peak",
        claims=(
            Claim(
                "Training step faster than the reference's, same network", mine, reference, low=1.0
            ),
        ),
    )


def _ours(model: dict[str, object], setting: _Setting) -> nn.Module:
    return build_model(make_config(model | {"input_size": setting.side}).model, NUM_CLASSES)


def _reference_step(model: nn.Module, setting: _Setting, *, amp: bool) -> Step:
    model = model.to(setting.device).train()
    clips, targets = setting.clips, setting.targets
    criterion = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.0)
    scaler = torch.amp.GradScaler(setting.device, enabled=amp)

    def step() -> None:
        with torch.autocast(setting.device, enabled=amp):
            loss = criterion(model(clips), targets)
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        _wait(setting)

    return step


def _our_step(model: nn.Module, setting: _Setting) -> Step:
    config = TrainingConfig()
    targets = setting.targets
    module = ActionModule(model, BinaryCrossEntropy(), config, targets.bool().cpu())
    module.to(setting.device).train()
    optimizer = torch.optim.AdamW(model.parameters(), config.learning_rate, weight_decay=0.0)
    clips = setting.clips.contiguous(memory_format=torch.channels_last_3d)
    batch = Batch(clips, targets, torch.arange(setting.batch), ())
    half = resolve_precision(config) == "bf16"
    module.on_train_epoch_start()

    def step() -> None:
        optimizer.zero_grad()
        with torch.autocast(setting.device, torch.bfloat16, enabled=half), _quietly():
            loss = module.training_step(batch, 0)
        loss.backward()
        optimizer.step()
        _wait(setting)

    return step


def _quietly() -> warnings.catch_warnings:
    """Lightning warns of a step without its trainer."""
    return warnings.catch_warnings(action="ignore")


def _wait(setting: _Setting) -> None:
    if setting.device == "cuda":
        torch.cuda.synchronize()


def _feeding(context: Context) -> Table:
    """Whether the loader holds the network back, by the measurement of `benchmark train`."""
    from lilliput.training.speed import measure_training

    clips = synthetic_clips(context.folder, context.count(40, 8), 70)
    packed = read_dataset(clips.root)
    times = context.count(24, 6)
    splits = {"train": clips.packed * times, "val": clips.packed}
    dataset = VideoDataset(packed.root, packed.layout, packed.labels, splits)
    rows = []
    for size in ("input", "native"):
        config = make_config(
            AD_R18,
            augment={"rand_augment_size": size, "flip_labels": "keep"},
            training={"batch_size": 24},
            data={"workers": 8},
        )
        try:
            speed = measure_training(config, dataset, context.seconds(15))
        except Exception as error:
            rows.append(Row(size, note=f"not measured: {in_one_line(error)}"))
            continue
        names = ("network alone", "loader alone", "training from the pack")
        for name, value in zip(names, (speed.network, speed.loading, speed.training), strict=True):
            rows.append(Row(f"{size} RandAugment, {name}", (value,), ours=True))
    return Table(
        "Feeding the GPU, AD-R18",
        "Lightning's loop on one constant batch of 24 clips, the loader alone, and both "
        "together: training from a pack, 8 workers, augmentation on the GPU.",
        "clips/s",
        tuple(rows),
        baseline="native RandAugment, network alone",
        higher_is_better=True,
        claims=tuple(
            Claim(
                f"The loader does not hold the GPU back ({size} RandAugment)",
                f"{size} RandAugment, training from the pack",
                f"{size} RandAugment, network alone",
                low=0.95,
            )
            for size in ("input", "native")
        ),
    )
