"""The generator tells a predictor no more than Helios published."""

import numpy as np
import pytest

from gridhall.fleet.synthetic import uniform_fleet
from gridhall.work.predictability import HELIOS_ON_PHILLY, History, Waits, measure, philly_ratio
from gridhall.work.profiles import PROFILES
from tests.work.jobs import jobs


@pytest.fixture(scope="module")
def reached() -> Waits:
    return philly_ratio(PROFILES["philly"], uniform_fleet(216, shares=(1,)))


def test_names_tell_as_much_as_published(reached: Waits) -> None:
    assert HELIOS_ON_PHILLY.queue_ratio == pytest.approx(1.645, abs=0.001)
    assert reached.queue_ratio == pytest.approx(HELIOS_ON_PHILLY.queue_ratio, abs=0.08)
    assert reached.completion_ratio == pytest.approx(HELIOS_ON_PHILLY.completion_ratio, abs=0.03)
    assert reached.fifo_s / reached.oracle_s == pytest.approx(11.9, abs=3)


def test_limits_tell_no_more_than_names(reached: Waits) -> None:
    assert reached.limit_s >= reached.predicted_s


def test_a_queue_worked_out_by_hand() -> None:
    """One GPU. A 10 s job runs when jobs of 30 s and 20 s arrive: FIFO waits 9 + 38, the oracle takes the short one."""
    three = jobs(submit_ms=[0, 1_000, 2_000], duration_ms=[10_000, 30_000, 20_000], limit_ms=[60_000] * 3)
    waits = measure(three, 1)
    assert waits.fifo_s == pytest.approx((0 + 9 + 38) / 3)
    assert waits.oracle_s == pytest.approx((0 + 29 + 8) / 3)
    assert waits.run_s == 20


def test_the_history_prefers_the_name_then_the_user_then_everybody() -> None:
    known = History()
    assert known.predict(1, 1, 500) == 500
    known.finished(1, 1, 100)
    known.finished(1, 2, 300)
    assert known.predict(1, 1, 1_000) == 100
    assert known.predict(1, 7, 1_000) == 200
    assert known.predict(8, 1, 1_000) == 200
    assert known.predict(1, 2, 250) == 250


def test_no_job_waits_on_an_idle_pool() -> None:
    apart = jobs(submit_ms=list(range(0, 100_000, 10_000)), duration_ms=[9_000] * 10, limit_ms=[10_000] * 10)
    waits = measure(apart, 1)
    assert np.array([waits.fifo_s, waits.oracle_s, waits.predicted_s, waits.limit_s]).max() == 0
