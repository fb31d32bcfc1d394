"""`gridhall jobs`: look at jobs and end them."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gridhall.cli import say
from gridhall.units import iso_utc

if TYPE_CHECKING:
    from gridhall.server.objects.job import Job

app = typer.Typer(help="Look at jobs: list, show, log, cancel.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Id = Annotated[str, typer.Argument(help="The job's id.")]


@app.command("list")
def list_(
    project: Annotated[str | None, typer.Option(help="Only of this project.")] = None,
    state: Annotated[str | None, typer.Option(help="Only in this state.")] = None,
    most: Annotated[int, typer.Option(help="At most so many, the newest first.", min=1)] = 50,
    as_json: Json = False,
) -> None:
    """List jobs, the newest first."""
    from itertools import islice

    from gridhall.client import Client

    with Client() as client:
        jobs = list(islice(client.jobs.list(project=project, state=state), most))
    if as_json:
        say.as_json([job.model_dump(mode="json") for job in jobs])
    else:
        say.as_table(("id", "name", "project", "state", "gpus", "submitted", "reason"), [_line(job) for job in jobs])


def _line(job: "Job") -> tuple[str, ...]:
    asked, status = job.spec.resources, job.status
    return (
        job.metadata.id, job.metadata.name, job.metadata.project, status.state, str(asked.gpus),
        iso_utc(status.submit_ms), status.reason,
    )  # fmt: skip


@app.command()
def show(id: Id) -> None:
    """Print a job with its spec, its status and its attempts, as JSON."""
    from gridhall.client import Client

    with Client() as client:
        document: dict[str, Any] = client.get(f"/v1/jobs/{id}")
        document["attempts"] = client.get(f"/v1/jobs/{id}/attempts")["items"]
    say.as_json(document)


@app.command()
def log(
    id: Id,
    rank: Annotated[int, typer.Option(help="Whose output.", min=0)] = 0,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the job has ended.")] = False,
) -> None:
    """Print what a job has written."""
    from gridhall.client import Client

    with Client() as client:
        for piece in client.jobs.log(id, rank, follow=follow):
            sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()


@app.command()
def cancel(id: Id, as_json: Json = False) -> None:
    """Cancel a job: a waiting one is gone at once, a running one is told to stop."""
    from gridhall.client import Client

    with Client() as client:
        job = client.jobs.cancel(id)
    if as_json:
        say.as_json(job.model_dump(mode="json"))
    else:
        say.status(f"{id} {job.status.state}: {job.status.reason}")
