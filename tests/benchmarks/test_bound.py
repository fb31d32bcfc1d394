"""The packing bound: by hand, and on the openb workloads."""

import numpy as np
import polars as pl
import pytest

from benchmarks.peers.bound import packing_bound
from tests.shared import shared


def bound_of(*jobs: tuple[int, int]) -> float:
    gpus, milli = np.array(jobs, dtype=np.int64).T
    return packing_bound(gpus, milli).needed_gpus


def test_whole_gpus_waste_nothing() -> None:
    assert bound_of((1, 1000), (8, 1000), (0, 0)) == 9


def test_shares_that_pair_up_fill_their_gpus() -> None:
    assert bound_of((1, 600), (1, 400), (1, 500), (1, 500)) == pytest.approx(2)


def test_shares_above_a_half_need_a_gpu_each() -> None:
    assert bound_of((1, 510), (1, 510), (1, 510)) == pytest.approx(3)


def test_part_of_several_gpus_is_refused() -> None:
    with pytest.raises(ValueError, match="part of one GPU"):
        bound_of((2, 500))


@pytest.mark.parametrize(("workload", "percent"), [("default", 96.32), ("gpushare40", 94.89), ("gpushare100", 88.20)])
def test_openb_workloads(workload: str, percent: float) -> None:
    pods = pl.read_csv(shared(f"traces/openb/openb_pod_list_{workload}.csv"))
    bound = packing_bound(pods["num_gpu"].to_numpy(), pods["gpu_milli"].to_numpy())
    assert 100 * bound.density == pytest.approx(percent, abs=0.005)
