"""What the routes about jobs have in common: finding one, and making one from a request."""

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


def new_job(caller: Caller, asked: JobRequest) -> NewJob:
    """A submission by the caller. Raises Problem."""
    project = asked.project or only_project(caller)
    organisation, number = project_named(caller, project)
    return NewJob(new_job_id(), asked.name, organisation, project, number, caller.principal.id, asked.spec)
