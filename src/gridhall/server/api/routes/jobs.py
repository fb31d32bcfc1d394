"""Jobs: submit one or many, look at them, cancel them."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from gridhall.server.api.answer import answer_object
from gridhall.server.api.caller import Asking, Caller, Writing, needs
from gridhall.server.api.jobs import find_job, new_jobs
from gridhall.server.api.paging import Paging, answer_page
from gridhall.server.api.problem import Problem
from gridhall.server.api.rehearse import fits_together
from gridhall.server.api.scopes import scopes_of
from gridhall.server.api.write import Answer, Target, write
from gridhall.server.live import work
from gridhall.server.live.changes import Cancel
from gridhall.server.live.draft import Refusal
from gridhall.server.live.submit import NewJobs, refusal_of
from gridhall.server.objects.fit import Fit, Fits
from gridhall.server.objects.job import Batch, BatchItem, BatchRequest, Job, JobRequest, JobState
from gridhall.server.objects.page import Page
from gridhall.server.objects.part import Id, Name
from gridhall.server.queries.jobs import JobFilter, list_jobs
from gridhall.server.views.jobs import job_fields, job_object

router = APIRouter()


@router.post(
    "/v1/jobs",
    status_code=202,
    response_model=Job,
    responses={200: {"model": Fit, "description": "dryRun: what would become of it"}},
    **needs("create", "job"),
)
async def submit(asked: JobRequest, caller: Writing) -> Response:
    """Submit a job. It is accepted, and started as soon as it may be; refused is only what can never run."""
    (new,) = new_jobs(caller, [asked])

    def answer(decided: work.Job | tuple[int, ...]) -> Answer:
        if not isinstance(decided, work.Job):
            raise refusal_of(decided)
        return Answer(202, job_object(decided, caller.world), decided.version, f"/v1/jobs/{decided.id}")

    async def rehearse() -> Answer:
        return Answer(200, (await fits_together(caller, [new]))[0])

    return await write(caller, Target(new.id, new.organisation, new.project), new, answer, rehearse)


@router.post(
    "/v1/jobs:batch",
    status_code=202,
    response_model=Batch,
    responses={200: {"model": Fits, "description": "dryRun: what would become of them, one after the other"}},
    **needs("create", "job"),
)
async def submit_many(asked: BatchRequest, caller: Writing) -> Response:
    """Submit many jobs in one transaction; each is accepted or refused by itself."""
    new = new_jobs(caller, asked.jobs)
    owners = {(each.organisation, each.project) for each in new}
    owner = owners.pop() if len(owners) == 1 else ("", "")

    def answer(decided: list[work.Job | Refusal]) -> Answer:
        return Answer(202, Batch.model_construct(items=tuple(map(_item, decided))))

    async def rehearse() -> Answer:
        return Answer(200, Fits(items=tuple(await fits_together(caller, new))))

    return await write(caller, Target("", *owner), NewJobs(new), answer, rehearse)


def _item(decided: work.Job | Refusal) -> BatchItem:
    if isinstance(decided, work.Job):
        return BatchItem.model_construct(job=decided.id, state=decided.state, status=202, reason="", detail="")
    return BatchItem(job="", state="", status=decided.status, reason=decided.reason, detail=decided.detail)


@router.get("/v1/jobs", response_model=Page[Job], **needs("read", "job"))
async def read_jobs(
    caller: Asking,
    cut: Paging,
    project: Id = "",
    organisation: Id = "",
    state: JobState | None = None,
    user: Id = "",
    name: Annotated[Name, Query()] = "",
) -> Response:
    """Jobs that the caller may read, newest first."""
    wanted = JobFilter(state or "", user, name)
    scopes = scopes_of(caller, project, organisation)
    below, held = _below(cut.after), caller.world.jobs
    found = await list_jobs(caller.service.database, scopes, wanted, below, cut.limit + 1, held)
    following = str(found[cut.limit - 1].number) if len(found) > cut.limit else None
    return answer_page([job_fields(job, caller.world) for job in found[: cut.limit]], following)


def _below(after: str) -> int | None:
    if not after:
        return None
    if not after.isdecimal() or len(after) > 18:
        raise Problem(422, "invalid", "this is no cursor of a page of jobs", "query.after", "give `next` of a page")
    return int(after)


@router.get("/v1/jobs/{job}", response_model=Job, **needs("read", "job"))
async def read_job(job: str, caller: Asking) -> Response:
    """One job."""
    found = await find_job(caller, job)
    return answer_object(job_object(found, caller.world), found.version)


@router.post("/v1/jobs/{job}:cancel", status_code=202, response_model=Job, **needs("cancel", "job"))
async def cancel(job: str, caller: Writing) -> Response:
    """Cancel a job: a waiting one is gone at once, a running one is told to stop and saves its work if it can."""
    return await _cancel(job, caller)


@router.delete("/v1/jobs/{job}", status_code=202, response_model=Job, **needs("cancel", "job"))
async def delete(job: str, caller: Writing) -> Response:
    """As `:cancel`. What a job did stays on record."""
    return await _cancel(job, caller)


async def _cancel(job: str, caller: Caller) -> Response:
    found = await find_job(caller, job)

    def answer(cancelled: work.Job) -> Answer:
        return Answer(202, job_object(cancelled, caller.world), cancelled.version)

    def rehearse() -> Answer:
        if caller.world.job_named(job) is None:
            raise Refusal(409, "finished", f"{job} is not waiting and not running")
        return answer(found)

    target = Target(found.id, found.organisation, found.project)
    return await write(caller, target, Cancel(found.id, caller.expected), answer, rehearse)
