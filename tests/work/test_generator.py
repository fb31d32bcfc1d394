"""Generated workloads: sorted, reproducible, chunk by chunk, inside the fleet, and true to what was asked."""

import hashlib
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridhall.errors import InputError
from gridhall.fleet.arrays import FleetArrays
from gridhall.fleet.synthetic import uniform_fleet
from gridhall.units import DAY_MS, HOUR_MS, YEAR_MS
from gridhall.work import ANYWHERE, PROFILES, JobTable, generate, profile
from gridhall.work.making import CHUNK
from gridhall.work.supply import supply

START_MS = 1_767_225_600_000  # 2026-01-01
FLEETS = {gpus: uniform_fleet(gpus) for gpus in (2_000, 10_000, 60_000)}


def joined(tables: list[JobTable]) -> JobTable:
    return JobTable(**{c.name: np.concatenate([getattr(t, c.name) for t in tables]) for c in fields(JobTable)})


def digest(table: JobTable) -> str:
    state = hashlib.sha256()
    for column in fields(JobTable):
        state.update(np.ascontiguousarray(getattr(table, column.name), dtype="<i8").tobytes())
    return state.hexdigest()


def site_blocks(fleet: FleetArrays) -> np.ndarray:
    return supply(fleet, START_MS, START_MS + YEAR_MS).site_block[0]


@settings(max_examples=25, deadline=None)
@given(
    name=st.sampled_from(sorted(PROFILES)),
    gpus=st.sampled_from(sorted(FLEETS)),
    seed=st.integers(0, 2**63 - 1),
    jobs=st.integers(1, 20_000),
    days=st.integers(30, 400),
    load=st.floats(0.05, 2.0),
)
def test_every_workload_is_sorted_and_fits_the_fleet(
    name: str, gpus: int, seed: int, jobs: int, days: int, load: float
) -> None:
    fleet, end_ms = FLEETS[gpus], START_MS + days * DAY_MS
    made = generate(PROFILES[name], seed=seed, start_ms=START_MS, end_ms=end_ms, fleet=fleet, jobs=jobs, load=load)
    table = joined(list(made.chunks()))
    assert len(table) == jobs
    assert (np.diff(table.submit_ms) >= 0).all()
    assert table.submit_ms[0] >= START_MS
    assert table.submit_ms[-1] < end_ms
    assert (table.job_id == np.arange(jobs)).all()
    assert (table.duration_ms > 0).all()
    assert (table.limit_ms > table.duration_ms).all()
    blocks = site_blocks(fleet)
    allowed = (table.places[:, None] >> np.arange(len(blocks))) & 1 == 1
    assert (np.where(allowed, blocks, 0).max(axis=1) >= table.gpus).all(), "a job that no permitted site can hold"
    assert (table.user // made.profile.users_per_project == table.project).all()
    assert (table.preemptible == (table.priority == 0)).all()
    assert (table.max_gpus <= blocks.max()).all()


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 1000), order=st.permutations(range(4)))
def test_chunks_are_the_same_in_any_order(seed: int, order: list[int]) -> None:
    args = {"seed": seed, "start_ms": START_MS, "end_ms": START_MS + 30 * DAY_MS, "fleet": FLEETS[10_000]}
    first = generate(PROFILES["helios"], jobs=3 * CHUNK + 17, **args)
    again = generate(PROFILES["helios"], jobs=3 * CHUNK + 17, **args)
    expected = [digest(table) for table in first.chunks()]
    assert len(expected) == first.chunk_count == 4
    for index in order:
        assert digest(again.chunk(index)) == expected[index]
    with pytest.raises(IndexError):
        again.chunk(4)


def test_a_seed_gives_the_same_jobs_on_every_machine() -> None:
    """Only integer tables and counter-based words decide, so the bytes are fixed. Update it when a law changes."""
    made = generate(
        PROFILES["training-cloud"],
        seed=1,
        start_ms=START_MS,
        end_ms=START_MS + YEAR_MS,
        fleet=FLEETS[60_000],
        jobs=1_000_000,
        load=0.88,
    )
    assert digest(made.chunk(7))[:16] == "61d94456c3cd8fe5"


def test_another_seed_gives_other_jobs_and_users_seed_keeps_the_people() -> None:
    args = {"start_ms": START_MS, "end_ms": START_MS + 30 * DAY_MS, "fleet": FLEETS[10_000], "jobs": 20_000}
    one = generate(PROFILES["helios"], seed=1, users_seed=9, **args)
    two = generate(PROFILES["helios"], seed=2, users_seed=9, **args)
    other = generate(PROFILES["helios"], seed=2, **args)
    assert digest(one.chunk(0)) != digest(two.chunk(0))
    assert one.mean_run_s == two.mean_run_s
    assert (two.chunk(0).user == other.chunk(0).user).all()
    assert (two.chunk(0).duration_ms != other.chunk(0).duration_ms).any()


def test_jobs_and_load_stretch_the_run_times_to_the_load() -> None:
    fleet = FLEETS[60_000]
    loads = []
    for seed in range(3):
        made = generate(
            PROFILES["training-cloud"],
            seed=seed,
            start_ms=START_MS,
            end_ms=START_MS + YEAR_MS,
            fleet=fleet,
            jobs=1_000_000,
            load=0.88,
        )
        offered = sum(int((table.gpus * table.duration_ms).sum()) for table in made.chunks())
        loads.append(offered / (fleet.gpus * YEAR_MS))
        assert made.load == pytest.approx(0.88, abs=1e-5)
        assert made.stretch == pytest.approx(12.3, abs=0.4)
    assert np.mean(loads) == pytest.approx(0.88, abs=0.02)
    assert max(loads) < 0.93


def test_a_load_alone_gives_the_density_of_rsc_1_without_stretching() -> None:
    made = generate(
        PROFILES["training-cloud"],
        seed=1,
        start_ms=START_MS,
        end_ms=START_MS + YEAR_MS,
        fleet=FLEETS[60_000],
        load=0.86,
    )
    assert made.stretch == pytest.approx(1.0, abs=1e-6)
    assert made.jobs == pytest.approx(12_000_000, rel=0.03)
    assert made.load == pytest.approx(0.86, abs=1e-5)


def test_sizes_and_shares_follow_the_profile() -> None:
    law = PROFILES["training-cloud"]
    made = generate(law, seed=5, start_ms=START_MS, end_ms=START_MS + YEAR_MS, fleet=FLEETS[60_000], jobs=500_000)
    table = joined(list(made.chunks()))
    total = sum(weight for _, weight in law.sizes)
    for size, weight in law.sizes:
        assert (table.gpus == size).mean() == pytest.approx(weight / total, abs=4 * (weight / 500_000) ** 0.5 + 1e-4)
    for level, share in enumerate(law.priorities):
        assert (table.priority == level).mean() == pytest.approx(share, abs=0.003)
    assert (table.places == ANYWHERE).mean() == pytest.approx(0.6, abs=0.003)
    assert table.power_milli.min() == 400
    assert table.power_milli.max() == 949
    assert set(np.unique(table.checkpoint_ms // 60_000)) == {0, *range(30, 62)}
    assert len(np.unique(table.project)) == 200
    large = table.gpus >= 256
    assert table.project[large].max() < 50, "large gangs come from the busiest quarter of the projects"


def test_submissions_follow_the_day_and_the_week() -> None:
    law = profile("training-cloud", daily_swing=0.25, weekend=0.5)
    made = generate(law, seed=3, start_ms=START_MS, end_ms=START_MS + 364 * DAY_MS, fleet=FLEETS[10_000], jobs=400_000)
    submit = np.concatenate([table.submit_ms for table in made.chunks()])
    by_hour = np.bincount(submit % DAY_MS // HOUR_MS, minlength=24) / len(submit) * 24
    by_day = np.bincount((submit // DAY_MS + 3) % 7, minlength=7)
    assert by_hour[15] == pytest.approx(1.25, abs=0.03)
    assert by_hour[3] == pytest.approx(0.75, abs=0.03)
    assert by_day[5:].mean() / by_day[:5].mean() == pytest.approx(0.5, abs=0.02)


def test_work_follows_a_fleet_that_is_being_built() -> None:
    fleet = FLEETS[60_000]
    half_ms = START_MS + 180 * DAY_MS
    small_first = np.where(fleet.rack_cell == 5, 0, half_ms)
    growing = replace(fleet, rack_ready_from_ms=small_first.astype(np.int64))
    made = generate(
        PROFILES["training-cloud"],
        seed=2,
        start_ms=START_MS,
        end_ms=START_MS + YEAR_MS,
        fleet=growing,
        jobs=200_000,
        load=0.8,
    )
    table = joined(list(made.chunks()))
    early = table.submit_ms < half_ms
    smallest = int(site_blocks(fleet)[5])
    assert table.gpus[early].max() <= smallest
    assert (table.places[early] >> 5 & 1 == 1).all(), "before the others stand, only the sixth site can be named alone"
    assert early.mean() == pytest.approx(0.069, abs=0.01)
    offered = (table.gpus * table.duration_ms).sum() / supply(growing, START_MS, START_MS + YEAR_MS).gpu_ms
    assert offered == pytest.approx(0.8, abs=0.08)


def test_gpus_are_shared_only_where_racks_allow_it() -> None:
    sharing = uniform_fleet(10_000, sharing_milli=50)
    args: dict[str, Any] = {"seed": 1, "start_ms": START_MS, "end_ms": START_MS + 30 * DAY_MS, "jobs": 50_000}
    plain = generate(profile("training-cloud", shared=0.5), fleet=FLEETS[10_000], **args)
    mixed = generate(profile("training-cloud", shared=0.5), fleet=sharing, **args)
    assert all((table.gpu_milli == 1000).all() for table in plain.chunks())
    table = joined(list(mixed.chunks()))
    part = table.gpu_milli < 1000
    assert part.mean() == pytest.approx(0.17, abs=0.02)
    assert (table.gpus[part] == 1).all()
    mask = supply(sharing, START_MS, START_MS + DAY_MS).sharing_sites[0]
    assert (table.places[part] & mask != 0).all()


@pytest.mark.parametrize(
    ("change", "field"),
    [({"jobs": 0}, "jobs"), ({"load": -1.0}, "load"), ({"load": float("nan")}, "load"), ({"seed": -1}, "seed")],
)
def test_senseless_figures_are_refused_by_name(change: dict[str, float], field: str) -> None:
    args: dict[str, Any] = {
        "seed": 1,
        "start_ms": START_MS,
        "end_ms": START_MS + DAY_MS,
        "fleet": FLEETS[2_000],
        **change,
    }
    with pytest.raises(InputError) as error:
        generate(PROFILES["helios"], **args)
    assert error.value.faults[0].field == field


def test_an_empty_span_and_a_fleet_that_never_stands_are_refused() -> None:
    fleet = FLEETS[2_000]
    with pytest.raises(InputError, match="not after its start"):
        generate(PROFILES["helios"], seed=1, start_ms=START_MS, end_ms=START_MS, fleet=fleet)
    later = replace(fleet, rack_ready_from_ms=np.full_like(fleet.rack_ready_from_ms, START_MS + YEAR_MS))
    with pytest.raises(InputError, match="no rack is on line"):
        generate(PROFILES["helios"], seed=1, start_ms=START_MS, end_ms=START_MS + DAY_MS, fleet=later)


def test_more_jobs_than_the_load_has_room_for_are_refused() -> None:
    with pytest.raises(InputError, match="no job is shorter than 30 s"):
        generate(
            PROFILES["training-cloud"],
            seed=1,
            start_ms=START_MS,
            end_ms=START_MS + DAY_MS,
            fleet=FLEETS[2_000],
            jobs=10_000_000,
            load=0.01,
        )
