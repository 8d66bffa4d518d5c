"""The most that the machine was seen to compute and to move: what other figures are shares of."""

import time
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from benchmarks.context import Context
from benchmarks.tables import Row, Table
from benchmarks.timing import Samples, interleave

FP32, BF16, INT8 = "fp32 matrix product", "bf16 matrix product", "int8 matrix product"
GPU_FP32, GPU_BF16, GPU_INT8 = (f"GPU, {name}" for name in (FP32, BF16, INT8))
_SMALL = 256  # tried first: without the instructions a large product takes minutes
_SIDES = (1024, 2048)
_LONGEST = 0.5  # s
_GPU_SIDES = (4096, 8192)
_BYTES = 2**28


def run(context: Context) -> list[Table]:
    products = _products(context)
    peak = products.row(FP32)
    tables = [
        products,
        _convolutions(context, max(peak.samples) if peak else None),
        _bandwidth(context),
    ]
    if torch.cuda.is_available():
        tables.append(_gpu(context))
    return tables


def _products(context: Context) -> Table:
    rows = []
    with torch.inference_mode():
        for name, makers in _PRODUCTS.items():
            cases = {
                f"{maker} {side}": _lazily(make, side)
                for maker, make in makers.items()
                for side in _SIDES
            }
            results = interleave(cases, budget_seconds=context.seconds(6), max_rounds=15)
            rows.append(_best(name, results, lambda case: 2 * int(case.split()[-1]) ** 3))
    return Table(
        "Matrix products",
        "Square matrices, all cores, the best of several sizes and libraries. A "
        "multiply-add is two operations. On a CPU without instructions for bf16 or for dot "
        "products of int8 these formats gain little.",
        "GFLOP/s",
        tuple(rows),
        baseline=FP32,
        higher_is_better=True,
    )


def _torch_product(dtype: torch.dtype) -> Callable[[int], Callable[[], object]]:
    def make(side: int) -> Callable[[], object]:
        left, right = (torch.rand(side, side).to(dtype) for _ in range(2))
        return lambda: left @ right

    return make


def _torch_int8(side: int) -> Callable[[], object]:
    left, right = (torch.randint(-9, 9, (side, side), dtype=torch.int8) for _ in range(2))
    return lambda: torch._int_mm(left, right)


def _openvino_product(precision: str) -> Callable[[int], Callable[[], object]]:
    def make(side: int) -> Callable[[], object]:
        import openvino as ov
        from openvino import opset13 as ops

        core = ov.Core()
        able = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        if precision == "bf16" and "BF16" not in able:
            raise RuntimeError("OpenVINO finds no bf16 instructions")
        left = ops.parameter([side, side], np.float32)
        weights = np.random.default_rng(0).uniform(-1, 1, (side, side)).astype(np.float32)
        right = ops.constant(weights)
        factors = left, right
        if precision == "int8":
            factors = (
                ops.fake_quantize(left, *_bounds(), 256),
                ops.fake_quantize(right, *_bounds(), 255),
            )
        product = ops.matmul(*factors, False, True)
        hint = "bf16" if precision == "bf16" else "f32"
        compiled = core.compile_model(
            ov.Model([product], [left]), "CPU", {"INFERENCE_PRECISION_HINT": hint}
        )
        request = compiled.create_infer_request()
        request.set_input_tensor(ov.Tensor(weights))
        return request.infer

    return make


def _bounds() -> list[np.ndarray]:
    return [np.float32(bound).reshape(1, 1) for bound in (-1, 1, -1, 1)]


_PRODUCTS: dict[str, dict[str, Callable[[int], Callable[[], object]]]] = {
    FP32: {"torch": _torch_product(torch.float32), "OpenVINO": _openvino_product("fp32")},
    BF16: {"torch": _torch_product(torch.bfloat16), "OpenVINO": _openvino_product("bf16")},
    INT8: {"torch": _torch_int8, "OpenVINO": _openvino_product("int8")},
}


def _lazily(make: Callable[[int], Callable[[], object]], side: int) -> Callable[[], object]:
    """Makes the case at its first call, where a failure is caught; one too slow fails."""
    made: list[Callable[[], object]] = []

    def call() -> object:
        if not made:
            small = make(_SMALL)
            small()
            start = time.perf_counter()
            small()
            expected = (time.perf_counter() - start) * (side / _SMALL) ** 3
            if expected > _LONGEST:
                raise TimeoutError(f"a product of {side} would take {expected:.0f} s")
            made.append(make(side))
        return made[0]()

    return call


def _best(name: str, results: dict[str, Samples | str], operations: Callable[[str], float]) -> Row:
    rates = {
        case: tuple(operations(case) / sample / 1e9 for sample in samples)
        for case, samples in results.items()
        if not isinstance(samples, str)
    }
    if not rates:
        return Row(name, note=f"not measured: {next(iter(results.values()))}")
    case = max(rates, key=lambda case: float(np.median(rates[case])))
    return Row(name, rates[case], note=f"{case} × {case.split()[-1]}")


def _convolutions(context: Context, peak: float | None) -> Table:
    """The 3 x 3 x 3 convolution that an adapted ResNet-18 spends most of its time in."""
    layer = nn.Conv3d(64, 64, 3, padding=1, bias=False)
    last = nn.Conv3d(64, 64, 3, padding=1, bias=False).to(memory_format=torch.channels_last_3d)
    clips = torch.rand(1, 64, 8, 56, 56)
    clips_last = clips.to(memory_format=torch.channels_last_3d)
    macs = 27 * 64 * 64 * 8 * 56 * 56
    cases = {"contiguous": lambda: layer(clips), "channels last": lambda: last(clips_last)}
    with torch.inference_mode():
        results = interleave(cases, budget_seconds=context.seconds(6))
    rows = []
    for name, samples in results.items():
        rates = () if isinstance(samples, str) else tuple(2 * macs / s / 1e9 for s in samples)
        rows.append(Row(name, rates))
    return Table(
        "3-D convolution, fp32",
        "3 × 3 × 3, 64 to 64 channels, on a map of 8 × 56 × 56, in PyTorch's two memory layouts.",
        "GFLOP/s",
        tuple(
            Row(row.name, row.samples, share=row.median / peak if row.median and peak else None)
            for row in rows
        ),
        baseline="contiguous",
        higher_is_better=True,
        limit="the fp32 matrix product",
    )


def _bandwidth(context: Context) -> Table:
    first, second, third = (torch.rand(_BYTES // 4) for _ in range(3))
    one, other = first.numpy(), second.numpy()
    moved = {"copy, one thread (numpy)": 2, "copy (torch)": 2, "triad (torch)": 3}
    cases = dict(
        zip(
            moved,
            (
                lambda: np.copyto(other, one),
                lambda: second.copy_(first),
                lambda: torch.add(first, second, alpha=3.0, out=third),
            ),
            strict=True,
        )
    )
    results = interleave(cases, budget_seconds=context.seconds(6))
    rows = tuple(
        Row(name, tuple(count * _BYTES / sample / 1e9 for sample in results[name]))
        for name, count in moved.items()
    )
    return Table(
        "Memory bandwidth",
        "Arrays of 256 MiB; bytes read and written, without the lines a store fetches first.",
        "GB/s", rows, baseline="-", higher_is_better=True,
    )  # fmt: skip


def _gpu(context: Context) -> Table:
    def product(dtype: torch.dtype, side: int) -> Callable[[], object]:
        def call() -> None:
            torch._int_mm(left, right) if dtype is torch.int8 else left @ right
            torch.cuda.synchronize()

        left, right = (torch.randint(-9, 9, (side, side), device="cuda") for _ in range(2))
        left, right = left.to(dtype), right.to(dtype).t()
        return call

    kinds = {GPU_FP32: torch.float32, GPU_BF16: torch.bfloat16, GPU_INT8: torch.int8}
    rows = []
    for name, dtype in kinds.items():
        cases = {
            f"torch {side}": _lazily(lambda side, dtype=dtype: product(dtype, side), side)
            for side in _GPU_SIDES
        }
        results = interleave(cases, budget_seconds=context.seconds(5))
        rows.append(_best(name, results, lambda case: 2 * int(case.split()[-1]) ** 3))
    source, target = (torch.rand(2**28, device="cuda") for _ in range(2))

    def copy() -> None:
        target.copy_(source)
        torch.cuda.synchronize()

    copied = interleave({"copy": copy}, budget_seconds=context.seconds(2))["copy"]
    rates = tuple(2 * source.nbytes / sample / 1e9 for sample in copied)
    rows.append(Row("GPU, copy", rates, note="GB/s"))
    return Table(
        "GPU", "Square matrices, and a copy of 1 GiB; fp32 without TF32.", "GFLOP/s",
        tuple(rows), baseline=GPU_FP32, higher_is_better=True,
    )  # fmt: skip
