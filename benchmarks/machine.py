"""The machine and the versions that a run was made with; no names and no paths."""

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

_PACKAGES = (
    "lilliput", "torch", "torchvision", "numpy", "av", "opencv-python-headless", "torchcodec",
    "pytorchvideo", "onnxruntime", "openvino", "nncf", "lightning",
)  # fmt: skip
_INSTRUCTIONS = (
    "avx2", "fma", "f16c", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_tile",
    "amx_bf16", "amx_int8", "asimd", "asimddp", "bf16", "i8mm", "sve",
)  # fmt: skip


def describe_machine() -> dict[str, str]:
    """What the figures depend on."""
    described = {
        "CPU": _cpu_line("model name") or platform.processor() or platform.machine(),
        "instruction sets": " ".join(_found_instructions()) or "unknown",
        "cores": str(_cores()),
        "memory": f"{_memory_gib():.0f} GiB",
        "GPU": _gpu(),
        "system": f"{platform.system()}, Python {platform.python_version()}",
    }
    return described | {"packages": ", ".join(_versions())}


def read_commit() -> str:
    """The commit that was measured, with a mark where the files differ from it."""
    try:
        command = ["git", "describe", "--always", "--dirty", "--exclude=*"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()


def _cpu_line(key: str) -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == key:
                return value.strip()
    return ""


def _found_instructions() -> list[str]:
    flags = (_cpu_line("flags") or _cpu_line("Features")).split()
    return [name for name in _INSTRUCTIONS if name in flags]


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _gpu() -> str:
    import torch  # here, because the process that only hands out topics starts sooner without

    if not torch.cuda.is_available():
        return "none"
    properties = torch.cuda.get_device_properties(0)
    return f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB"


def _versions() -> list[str]:
    found = []
    for name in _PACKAGES:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            found.append(f"{name} absent")
    return found
