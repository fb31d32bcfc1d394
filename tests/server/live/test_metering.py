"""Every attempt leaves one usage interval, and all of them together are the integral of what was allocated."""

import asyncio
import contextlib
import random
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Any

import pytest
from sqlalchemy import select

from gridhall.ledger.entries import Decision, read, widen
from gridhall.money.intervals import UsageInterval
from gridhall.scheduling.decisions import EFFECT_WIDTH
from gridhall.server.live.changes import Cancel
from gridhall.server.live.draft import Draft, Refusal
from gridhall.server.live.service import Service
from gridhall.server.store.log_rows import LogRows
from gridhall.server.store.tables import interval
from tests.money.meter import CellFacts, JobFacts, Meter
from tests.server.live.hand_clock import HandClock
from tests.server.live.hand_engine import HandEngine
from tests.server.live.house import hand_engine, running, settings, small_fleet, submit, until


class Integral:
    """GPUs in use, integrated over the clock as drafts become durable."""

    def __init__(self, service: Service) -> None:
        self.gpu_milli_ms, self._used, self._at_ms, self._service = 0, 0, 0, service
        service.loop.on_durable.append(self._take)

    def _take(self, draft: Draft) -> None:
        self.gpu_milli_ms += 1000 * self._used * (draft.now_ms - self._at_ms)
        self._used, self._at_ms = int(self._service.world.state.node_used[:].sum()), draft.now_ms


async def play(service: Service, engine: HandEngine, clock: HandClock, chance: random.Random) -> None:
    """Twenty moves by chance: submit, end, stop, lose, cancel, and let time pass."""
    for _ in range(20):
        held = sorted(engine.held)
        move = chance.choice(("submit", "submit", "end", "lose", "cancel", "stop"))
        if move == "submit":
            await submit(service, gpus=chance.choice((1, 2, 8, 16)), preemptible=True)
        elif move == "cancel" and service.world.jobs:
            with contextlib.suppress(Refusal):  # it may be ending just now
                await service.loop.happen(Cancel(chance.choice(sorted(service.world.job_of_id))))
        elif held:
            {"end": engine.ended, "lose": engine.lost, "stop": engine.stopped}.get(move, engine.ended)(
                chance.choice(held)
            )
        await asyncio.sleep(0.01)
        await until(lambda: not any(service.carrier.busy(number) for number in list(service.world.jobs)))
        await clock.move(chance.choice((0, 1, 999, 61_000)))


def as_row(found: Mapping[Any, Any]) -> UsageInterval:
    return UsageInterval(**{each.name: found[each.name] for each in fields(UsageInterval)})


async def stored(service: Service) -> list[UsageInterval]:
    async with service.database.read() as connection:
        return [as_row(row) for row in (await connection.execute(select(interval))).mappings()]


def opened(service: Service, now_ms: int) -> list[UsageInterval]:
    world = service.world
    return [
        world.meters.interval(job, job.open_attempt, now_ms)
        for job in world.jobs.values()
        if job.open_attempt is not None and job.open_attempt.decided_ms < now_ms
    ]


@pytest.mark.parametrize("seed", range(6))
def test_intervals_are_the_integral_of_allocation_and_what_a_replay_of_the_ledger_meters(
    store_url: str, seed: int
) -> None:
    async def story() -> None:
        clock, fleet = HandClock(), small_fleet()
        engine = hand_engine(fleet)
        async with running(replace(settings(store_url, fleet, engine), clock=clock)) as service:
            await until(lambda: int(service.world.state.node_up[:].sum()) == 2)
            integral = Integral(service)
            await play(service, engine, clock, random.Random(seed))
            await clock.move(5_000)
            await submit(service, gpus=1)  # a draft at the last moment closes the integral
            booked, running_now = await stored(service), opened(service, clock.now_ms())
            assert booked
            assert sum(each.gpu_milli_ms for each in booked + running_now) == integral.gpu_milli_ms
            metered = await meter_of_ledger(service)
            assert {each.id: plain(each) for each in booked} == {each.id: plain(each) for each in metered}

    asyncio.run(story())


def plain(each: UsageInterval) -> dict[str, Any]:
    """An interval before its energy was attributed."""
    return {name: value for name, value in asdict(each).items() if not name.startswith(("energy", "carbon"))}


async def meter_of_ledger(service: Service) -> list[UsageInterval]:
    """What the meter of the money room makes of the effects in the log."""
    arrays = service.world.fleet.arrays
    idle_w = int(arrays.hw_node_fixed_w[0] + arrays.hw_gpus_per_node[0] * arrays.hw_gpu_idle_w[0])
    span_w = int(arrays.hw_gpu_max_w[0] - arrays.hw_gpu_idle_w[0])
    meter = Meter([CellFacts("home", "GB", "h100", int(arrays.hw_gpus_per_node[0]), idle_w, span_w)])
    bodies = await LogRows(service.database).entries(0, service.loop.log.size)
    decisions = [entry for entry in map(read, bodies) if isinstance(entry, Decision)]
    jobs = {
        widen(each.event, 24)[2]: JobFacts("home", "default", "rigid", widen(each.event, 24)[9], 1000, 1000)
        for each in decisions
        if each.event[0] == 1
    }
    return meter.take((widen(effect, EFFECT_WIDTH) for each in decisions for effect in each.effects), jobs)
