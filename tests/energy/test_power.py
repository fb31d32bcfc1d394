"""Node power and exact energy."""

import pytest

from gridhall.energy import NodePower, carbon_ug, energy_mj, gpu_draw_w

NODE = NodePower(fixed_w=2800, gpu_idle_w=70, gpu_max_w=700, gpus=8)


def test_a_gpu_draws_idle_at_share_zero_and_its_limit_at_full_share() -> None:
    assert gpu_draw_w(70, 700, 0) == 70
    assert gpu_draw_w(70, 700, 1000) == 700
    assert gpu_draw_w(70, 700, 500) == 385


def test_a_node_idles_at_fixed_plus_idle_gpus_and_peaks_at_its_limits() -> None:
    assert NODE.idle_w == 2800 + 8 * 70
    assert NODE.full_w == 2800 + 8 * 700
    assert NODE.draw_w([1000] * 8) == NODE.full_w


def test_what_a_job_adds_is_the_difference_it_makes_to_the_node() -> None:
    shares = [333, 333, 333]
    assert NODE.draw_w(shares) - NODE.idle_w == NODE.rise_w(3, 333)


def test_energy_is_watts_times_time_between_changes() -> None:
    assert energy_mj([(0, 150), (600_000, 200)], 900_000) == 150_000_000
    assert energy_mj([(0, 150), (600_000, 100), (1_200_000, 200)], 1_500_000) == 210_000_000


def test_no_change_is_no_energy_and_time_cannot_run_backwards() -> None:
    assert energy_mj([(5_000, 150)], 5_000) == 0
    with pytest.raises(ValueError, match="order of time"):
        energy_mj([(10, 1), (5, 1)], 20)


def test_carbon_of_one_minute_at_150_watts_meets_opendc() -> None:
    assert carbon_ug(energy_mj([(0, 150)], 60_000), 164_517_700) == 411_294
