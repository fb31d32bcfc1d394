"""The output of a job's processes, read from its engine piece by piece, and followed while the job lives.

Followed output goes on with the next attempt where one was pre-empted or lost.
"""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from gridhall.engines.protocol import AttemptKey, EngineFault
from gridhall.server.live.service import Service
from gridhall.server.live.work import Attempt, Job
from gridhall.server.queries.jobs import attempts_of

PIECE_BYTES = 65_536
PAUSE_S = 0.1
"""Between two looks for more output of a job that runs."""


@dataclass(frozen=True, slots=True)
class Output:
    """Whose output, of which process, and whether it is followed."""

    service: Service
    job: Job
    rank: int
    follow: bool


async def stream(output: Output, attempt: int, offset: int) -> AsyncGenerator[bytes]:
    """The output of an attempt from an offset on; followed, that of the attempts after it as well.

    An engine that is away ends what is not followed, and is waited for by what is.
    """
    while True:
        over = _is_over(output, attempt)
        try:
            piece = await _read(output, attempt, offset)
        except EngineFault:
            piece, over = b"", over and not output.follow
        if piece:
            offset += len(piece)
            yield piece
        elif not output.follow or output.service.loop.stopped:
            return
        elif not over:
            await asyncio.sleep(PAUSE_S)
        elif attempt < latest(output):
            attempt, offset = attempt + 1, 0
        elif not _lives(output):
            return
        else:
            await asyncio.sleep(PAUSE_S)


def latest(output: Output) -> int:
    """The job's latest attempt."""
    held = output.service.world.job_named(output.job.id)
    return held.attempt if held is not None else output.job.attempt


def _lives(output: Output) -> bool:
    """Whether the core still holds the job."""
    return output.service.world.job_named(output.job.id) is not None


def _is_over(output: Output, attempt: int) -> bool:
    """Whether an attempt will write nothing more."""
    held = output.service.world.job_named(output.job.id)
    return held is None or held.open_attempt is None or held.open_attempt.attempt != attempt


async def _read(output: Output, attempt: int, offset: int) -> bytes:
    found = await _attempt(output, attempt)
    if found is None:
        return b""
    service = output.service
    engine = service.settings.engines[service.world.engine_of_site[found.places[0].site]]
    return await engine.read_log(AttemptKey(found.job, found.attempt), output.rank, offset, PIECE_BYTES)


async def _attempt(output: Output, attempt: int) -> Attempt | None:
    held = output.service.world.job_named(output.job.id)
    if held is not None and held.open_attempt is not None and held.open_attempt.attempt == attempt:
        return held.open_attempt
    found = await attempts_of(output.service.database, output.job.number)
    return next((each for each in found if each.attempt == attempt), None)
