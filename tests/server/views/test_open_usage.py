"""What is allocated now adds up the same over the columns of the state as attempt by attempt."""

import asyncio
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gridhall.money.attribution import SiteEnergy, Steps
from gridhall.server.live.world import Resource
from gridhall.server.queries.intervals import Span, UsageFilter
from gridhall.server.views.open_usage import open_sums
from gridhall.server.views.usage import open_intervals, sums_of, totals_of
from tests.server.live.hand_clock import HandClock
from tests.server.live.house import hand_engine, running, settings, small_fleet, store_in, submit, until

CARBON = Steps(0, 3_600_000, np.array([250_000], dtype=np.int64), "declared")


def everybody(organisation: str, project: str) -> bool:
    return True


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
                    one_by_one = totals_of(sums_of(open_intervals(world, everybody, wanted, span)))
                    assert totals_of(open_sums(world, everybody, wanted, span)) == one_by_one
            assert open_sums(world, lambda organisation, project: False, UsageFilter(), span) == []

    asyncio.run(story())
