"""What this machine is: cores, memory, GPUs. A server without a fleet file makes a fleet of one node of it.

GPUs are found through NVML. Without its Python library, without a driver or without a device there are none, which is
then simply true.
"""

import importlib
import os
from dataclasses import dataclass
from typing import Any

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU as its driver names it."""

    name: str
    memory_mib: int


@dataclass(frozen=True, slots=True)
class Host:
    """This machine: its name, the cores that this process may use, its memory in MiB, its GPUs by index."""

    name: str
    cores: int
    memory_mib: int
    gpus: tuple[Gpu, ...]


def discover() -> Host:
    """Look at this machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // MIB
    return Host(os.uname().nodename, len(os.sched_getaffinity(0)), memory, _gpus())


def _gpus() -> tuple[Gpu, ...]:
    try:
        # Its functions carry no types.
        nvml: Any = importlib.import_module("pynvml")
    except ImportError:
        return ()
    try:
        nvml.nvmlInit()
    except nvml.NVMLError:
        return ()
    try:
        return tuple(_gpu(nvml, index) for index in range(nvml.nvmlDeviceGetCount()))
    except nvml.NVMLError:
        return ()
    finally:
        nvml.nvmlShutdown()


def _gpu(nvml: Any, index: int) -> Gpu:
    handle = nvml.nvmlDeviceGetHandleByIndex(index)
    return Gpu(nvml.nvmlDeviceGetName(handle), nvml.nvmlDeviceGetMemoryInfo(handle).total // MIB)
