"""Pages of jobs: what the core holds comes from memory, the rest from its row, in one order; on both stores."""

import asyncio

from gridhall.server.live.submit import NewJob, NewJobs, new_job_id
from gridhall.server.objects.job import JobSpec
from gridhall.server.queries.jobs import JobFilter, list_jobs
from gridhall.server.queries.scopes import Scope
from gridhall.server.store.insert import MANY
from tests.server.live.house import hand_engine, nodes_up, running, settings, small_fleet, submit, until


def test_jobs_in_memory_and_finished_ones_are_one_list(store_url: str) -> None:
    async def story() -> None:
        fleet = small_fleet()
        engine = hand_engine(fleet)
        async with running(settings(store_url, fleet, engine)) as service:
            await nodes_up(service)
            jobs = [await submit(service, gpus=16) for _ in range(4)]
            await until(lambda: engine.starts)
            engine.started(engine.starts[0].key)
            engine.ended(engine.starts[0].key, exit_code=0)
            await until(lambda: jobs[0].number not in service.world.jobs)
            await service.loop.settled()
            held, everywhere = service.world.jobs, [Scope()]
            found = await list_jobs(service.database, everywhere, JobFilter(), None, 10, held)
            assert [each.id for each in found] == [each.id for each in reversed(jobs)]
            assert all(each is held[each.number] for each in found[:3])
            assert found[3] == jobs[0]
            assert (found[3].state, found[3].exit_code) == ("completed", 0)
            overlapping = [Scope("home"), Scope("home", "default")]
            some = await list_jobs(service.database, overlapping, JobFilter(state="queued"), jobs[3].number, 1, held)
            assert some == [jobs[2]]
            assert await list_jobs(service.database, [], JobFilter(), None, 10, held) == []

    asyncio.run(story())


def test_many_jobs_that_were_written_at_once_are_read_as_they_are(store_url: str) -> None:
    async def story() -> None:
        fleet = small_fleet()
        async with running(settings(store_url, fleet, hand_engine(fleet))) as service:
            await nodes_up(service)
            spec = JobSpec.model_validate({"command": ["écho", "a\tb\n\\."], "resources": {"gpus": 1}})
            asked = [NewJob(new_job_id(), f"nº {n}", "home", "default", 0, "user", spec) for n in range(2 * MANY)]
            jobs = await service.loop.happen(NewJobs(tuple(asked)))
            found = await list_jobs(service.database, [Scope()], JobFilter(), None, 10 * MANY, {})
            assert found == jobs[::-1]

    asyncio.run(story())
