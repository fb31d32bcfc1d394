"""The bare SimPy loop runs the jobs it is given, in order of submission."""

from benchmarks.peers.simpy_loop import simpy_loop
from tests.benchmarks.jobs import jobs

LINE = jobs(submit_ms=[0, 1, 2, 3], duration_ms=[100, 50, 10, 10], gpus=[4, 4, 2, 5])


def test_jobs_wait_for_the_container_and_the_too_large_is_left_out() -> None:
    result = simpy_loop([LINE.take(slice(0, 2)), LINE.take(slice(2, 4))], gpus=4)
    assert result.jobs == 3
    assert result.end_ms == 160
    assert result.mean_wait_s == (0 + 99 + 148) / 3 / 1000
