"""Why a job waits, and where it ran."""

from base64 import b64encode

from fastapi import APIRouter
from starlette.responses import Response

from gridhall.ledger.commitment import commit_text
from gridhall.ledger.note import verify_key, vkey
from gridhall.server.api.answer import answer_object
from gridhall.server.api.caller import Asking, Caller, needs
from gridhall.server.api.jobs import find_job
from gridhall.server.live.service import Service
from gridhall.server.live.work import Attempt, Job
from gridhall.server.objects.why import AttemptWhere, Commitment, Proof, Where, Why
from gridhall.server.queries import proofs
from gridhall.server.queries.jobs import attempts_of
from gridhall.server.store.log_rows import LogRows
from gridhall.server.views.where import NOT_PROVEN, facts_of
from gridhall.server.views.why import why_object

router = APIRouter()


@router.get("/v1/jobs/{job}/why", response_model=Why, **needs("read", "job"))
async def read_why(job: str, caller: Asking) -> Response:
    """In one sentence why a job waits, when it could start at the earliest, and what would help."""
    found = await find_job(caller, job)
    return answer_object(why_object(caller.world, found, caller.service.loop.now_ms()))


@router.get("/v1/jobs/{job}/where", response_model=Where, **needs("read", "job"))
async def read_where(job: str, caller: Asking) -> Response:
    """Where a job ran: site, country, operator, nodes and times, with proofs, and what is not proven."""
    found = await find_job(caller, job)
    service = caller.service
    attempts = await attempts_of(service.database, found.number)
    return answer_object(
        Where(
            job=found.id,
            log_key=vkey(verify_key(service.settings.key)),
            submitted=await prove(service, found.entry, "the submission"),
            spec=_commitment(found),
            attempts=tuple([await _attempt(caller, each) for each in attempts]),
            not_proven=NOT_PROVEN,
        )
    )


async def _attempt(caller: Caller, attempt: Attempt) -> AttemptWhere:
    service, world = caller.service, caller.world
    engine = world.engine_of_site[attempt.places[0].site]
    proofs = [await prove(service, attempt.entry, "the decision to start it there")]
    if attempt.end_entry >= 0:
        proofs.append(await prove(service, attempt.end_entry, "the release of its nodes"))
    facts = tuple(facts_of(world.fleet, attempt, engine))
    return AttemptWhere(attempt=attempt.attempt, facts=facts, proofs=tuple(proofs))


async def prove(service: Service, entry: int, about: str) -> Proof:
    """An entry with the proof that the log has it."""
    text = await proofs.prove(service, entry)
    body = (await LogRows(service.database).entries(entry, entry + 1))[0]
    return Proof(entry=entry, about=about, body=b64encode(body).decode(), proof=text)


def _commitment(job: Job) -> Commitment:
    return Commitment(commitment=commit_text(job.salt, job.spec), salt=job.salt.hex(), document=job.spec)
