"""What this machine is, with and without NVML."""

import os
import sys
from types import ModuleType, SimpleNamespace

import pytest

from gridhall.engines.local.host import Gpu, discover


class Nvml(ModuleType):
    """Two GPUs, or a driver that is not there."""

    class NVMLError(Exception):
        pass

    def __init__(self, driver: bool) -> None:
        super().__init__("pynvml")
        self.driver = driver

    def nvmlInit(self) -> None:
        if not self.driver:
            raise self.NVMLError

    def nvmlShutdown(self) -> None:
        assert self.driver

    def nvmlDeviceGetCount(self) -> int:
        return 2

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        return index

    def nvmlDeviceGetName(self, handle: int) -> str:
        return f"gpu {handle}"

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> SimpleNamespace:
        return SimpleNamespace(total=80 << 30)


def test_cores_and_memory_are_those_of_this_machine():
    host = discover()
    assert host.name == os.uname().nodename
    assert host.cores == len(os.sched_getaffinity(0))
    with open("/proc/meminfo") as file:
        total_kib = int(file.readline().split()[1])
    assert abs(host.memory_mib - total_kib / 1024) < 1


def test_gpus_are_those_that_nvml_names(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "pynvml", Nvml(driver=True))
    assert discover().gpus == (Gpu("gpu 0", 81_920), Gpu("gpu 1", 81_920))


@pytest.mark.parametrize("library", [None, Nvml(driver=False)])
def test_no_library_or_driver_means_no_gpus(monkeypatch: pytest.MonkeyPatch, library: Nvml | None):
    monkeypatch.setitem(sys.modules, "pynvml", library)
    assert discover().gpus == ()
