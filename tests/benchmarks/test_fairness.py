"""Fair-share error by hand: the share of GPUs that the wrong project holds while somebody waits."""

import numpy as np
import pytest

from benchmarks.fairness import fair_share_error, max_min


def ints(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def test_nobody_gets_more_than_it_wants_and_the_rest_is_divided_evenly() -> None:
    assert max_min(np.array([1.0, 9.0, 9.0]), 9.0).tolist() == [1.0, 4.0, 4.0]
    assert max_min(np.array([2.0, 1.0]), 9.0).tolist() == [2.0, 1.0]


def test_one_project_on_all_gpus_while_another_waits_is_half_wrong() -> None:
    held = (ints(0), ints(0), ints(100))
    error = fair_share_error(ints(0, 1), ints(8, 8), ints(0, 0), ints(100, 200), held, ints(50))
    assert error == pytest.approx(0.5)


def test_an_even_division_is_fair_and_instants_without_waiting_do_not_count() -> None:
    held = (ints(0, 1, 2), ints(0, 0, 100), ints(100, 100, 150))
    error = fair_share_error(ints(0, 1, 0), ints(4, 4, 4), ints(0, 0, 10), ints(100, 100, 150), held, ints(5, 50, 120))
    assert error == pytest.approx(0.0)


def test_the_mean_is_over_instants_at_which_somebody_waits() -> None:
    held = (ints(0, 1), ints(0, 100), ints(100, 200))
    error = fair_share_error(ints(0, 1), ints(8, 8), ints(0, 0), ints(100, 200), held, ints(50, 150))
    assert error == pytest.approx(0.5)
