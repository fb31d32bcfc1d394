"""Work for a twin that nobody real asks for: synthetic submissions by the generator's laws, in the default project."""

import asyncio

from gridhall.engines.twin.background import Submission, submissions
from gridhall.server.live.draft import Refusal
from gridhall.server.live.loop import ReadOnly
from gridhall.server.live.service import FIRST_TENANCY, Service
from gridhall.server.live.submit import NewJob, new_job_id
from gridhall.server.objects.job import PRIORITIES, JobSpec
from gridhall.work.profiles import CLOUD
from gridhall.work.table import TIERS


async def keep_busy(service: Service, load: float, seed: int) -> None:
    """Submit synthetic work as its time comes, as much as keeps a share of the GPUs busy."""
    clock = service.settings.clock
    for each in submissions(service.settings.fleet.arrays, CLOUD, seed, clock.now_ms(), load):
        await clock.wait_until(each.time_ms)
        try:
            await service.loop.happen(new_job(each))
        except Refusal:
            continue
        except ReadOnly:
            return
        await asyncio.sleep(0)


def new_job(each: Submission) -> NewJob:
    """A synthetic submission as a job of the first project."""
    spec = JobSpec.model_validate(
        {
            "command": each.command,
            "environment": each.environment,
            "resources": {"gpus": each.gpus, "gpu_milli": each.gpu_milli},
            "places": {"sites": each.sites},
            "checkpoint": {"interval_ms": each.checkpoint_ms, "cost_ms": each.checkpoint_cost_ms},
            "priority": PRIORITIES[each.priority],
            "preemptible": each.preemptible,
            "tier": TIERS.index(each.tier),
            "limit_ms": each.limit_ms,
            "deadline_ms": each.deadline_ms,
        }
    )
    home, default = FIRST_TENANCY.organisations[0].name, FIRST_TENANCY.projects[0].name
    return NewJob(new_job_id(), each.name, home, default, 0, each.user, spec)
