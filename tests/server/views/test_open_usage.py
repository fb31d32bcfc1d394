"""What is allocated now adds up the same over the columns of the state as attempt by attempt."""

import asyncio
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gridhall.money.attribution import SiteEnergy, Steps
from gridhall.money.intervals import UsageInterval
from gridhall.server.live.world import Resource, World
from gridhall.server.queries.intervals import Span, UsageFilter
from gridhall.server.views.open_usage import open_intervals, open_sums
from gridhall.server.views.usage import sums_of, totals_of, within_span
from tests.server.live.hand_clock import HandClock
from tests.server.live.house import hand_engine, running, settings, small_fleet, store_in, submit, until

CARBON = Steps(0, 3_600_000, np.array([250_000], dtype=np.int64), "declared")


def everybody(organisation: str, project: str) -> bool:
    return True


def walked(world: World, wanted: UsageFilter, span: Span) -> list[UsageInterval]:
    """The intervals of all open attempts, job by job."""
    attempts = [(job, job.open_attempt) for job in world.jobs.values() if job.open_attempt is not None]
    found = [world.meters.interval(job, attempt, span.until_ms) for job, attempt in attempts]
    return [within_span(each, span, world.meters) for each in found if wanted.holds(each)]


@pytest.mark.parametrize("energy", [{}, {"home": SiteEnergy(1_250, "measured", CARBON)}])
def test_sums_over_columns_are_those_of_the_intervals(tmp_path: Path, energy: dict[str, SiteEnergy]) -> None:
    async def story() -> None:
        chance, clock, fleet = random.Random(7), HandClock(), small_fleet(nodes=6)
        begin = clock.now_ms()
        chosen = replace(settings(store_in(tmp_path), fleet, hand_engine(fleet)), clock=clock, energy=energy)
        async with running(chosen) as service:
            await until(lambda: int(service.world.state.node_up[:].sum()) == 6)
            for gpus in (1, 3, 8, 16, 2):
                await submit(service, gpus=gpus, tier=chance.choice((0, 2)))
                await clock.move(chance.randrange(1, 5_000_000))
            world = service.world
            world.directory.put(Resource("default", "project", "default", "home", "default", 0, "test", 0, {}))
            for from_ms in (begin, begin + 1_234_567):
                for wanted in (UsageFilter(), UsageFilter(tier="slow25"), UsageFilter(sku="none")):
                    span = Span(from_ms, clock.now_ms())
                    one_by_one = walked(world, wanted, span)
                    assert list(open_intervals(world, everybody, wanted, span)) == one_by_one
                    assert totals_of(open_sums(world, everybody, wanted, span)) == totals_of(sums_of(one_by_one))
            first, *rest = open_intervals(world, everybody, UsageFilter(), span)
            assert list(open_intervals(world, everybody, UsageFilter(), span, first.job)) == rest
            assert list(open_intervals(world, everybody, UsageFilter(job=first.job), span)) == [first]
            assert open_sums(world, lambda organisation, project: False, UsageFilter(), span) == []

    asyncio.run(story())
