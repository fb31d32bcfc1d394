"""What the routes about jobs have in common: finding one, and making some from a request."""

from collections.abc import Sequence

from gridhall.server.api.caller import Caller, missing
from gridhall.server.api.scopes import only_project, project_named
from gridhall.server.live.submit import NewJob, new_job_id
from gridhall.server.live.work import Job
from gridhall.server.objects.job import JobRequest
from gridhall.server.queries import jobs as queries


async def find_job(caller: Caller, id: str) -> Job:
    """A job on which the caller may do what the route does. Raises Problem."""
    found = caller.world.job_named(id) or await queries.find_job(caller.service.database, id)
    if found is None:
        raise missing("job", id)
    caller.must(found.organisation, found.project, what=id)
    return found


def new_jobs(caller: Caller, asked: Sequence[JobRequest]) -> tuple[NewJob, ...]:
    """Submissions by the caller. Raises Problem."""
    owners = {project: _owner(caller, project) for project in dict.fromkeys(each.project for each in asked)}
    user = caller.principal.id
    return tuple(NewJob(new_job_id(), each.name, *owners[each.project], user, each.spec) for each in asked)


def _owner(caller: Caller, named: str) -> tuple[str, str, int]:
    """Organisation, id and number of the project that is named, or meant where none is."""
    project = named or only_project(caller)
    organisation, number = project_named(caller, project)
    return organisation, project, number
