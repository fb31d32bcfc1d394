"""One life of a controller whose code is whatever PYTHONPATH says: the store outlives it, and so does a job.

    python -m tests.e2e.upgrade_life FOLDER begin|go-on|end stop|kill

`begin` submits a job and waits until it runs, `go-on` finds it running, `end` lets it finish. Its last line is JSON.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

from gridhall.controller.record import kernels_hash
from gridhall.errors import InputError
from gridhall.server.live import work
from gridhall.server.live.service import Service, open_service
from gridhall.server.live.submit import NewJob, new_job_id
from gridhall.server.objects.job import JobSpec
from tests.e2e.headless import settings_of
from tests.server.live.house import until

WAIT = 'while [ ! -e "$GRIDHALL_CHECKPOINT_DIR/go" ]; do sleep 0.05; done'


async def live(folder: Path, part: str) -> Service:
    """Open, and play a part."""
    service = await open_service(settings_of(folder))
    print(
        json.dumps(
            {
                "kernels": kernels_hash(),
                "epoch": service.lead.epoch,
                "replayed": service.replayed,
                "states": {job.id: job.state for job in service.world.jobs.values()},
                "state": service.world.state.digest(),
                "columns": len(service.world.state.declared),
            }
        ),
        flush=True,
    )
    if part == "begin":
        spec = JobSpec(command=("/bin/sh", "-c", WAIT))
        job = await service.loop.happen(NewJob(new_job_id(), "waits", "home", "default", 0, "user", spec))
        await until(lambda: job.state == work.RUNNING, 30)
        await service.loop.frozen()  # that is durable too
    elif part == "end":
        for checkpoints in folder.glob("engine/jobs/*/checkpoints"):
            (checkpoints / "go").touch()
        await until(lambda: not service.world.jobs, 30)
    return service


async def main(folder: Path, part: str, how: str) -> None:
    service = await live(folder, part)
    if how == "kill":
        os._exit(0)
    await service.close()


if __name__ == "__main__":
    try:
        asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
    except InputError as problem:
        print(json.dumps({"refused": str(problem)}))
