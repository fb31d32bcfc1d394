"""`gridhall run -- COMMAND`: submit a job, show what it writes, end with its exit code."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from gridhall.cli import say
from gridhall.errors import fault

if TYPE_CHECKING:
    from gridhall.client import Client
    from gridhall.server.objects.job import Job, JobRequest

MEND = "docs/jobs.md lists every field"
EXIT_NOT_RUN = 125
"""The job came to no exit code of its own: cancelled, timed out, given up."""


def run(
    command: Annotated[list[str] | None, typer.Argument(help="The command, after `--`.")] = None,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="A job file (YAML); options are laid over it.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the job (default: the command's).")] = None,
    project: Annotated[str | None, typer.Option(help="Project that asks (default: the first of yours).")] = None,
    gpus: Annotated[int | None, typer.Option(help="GPUs of the whole gang; 0 = hosts without GPUs.", min=0)] = None,
    processes: Annotated[int | None, typer.Option(help="Processes on each node (default 1).", min=1, max=64)] = None,
    site: Annotated[list[str] | None, typer.Option(help="A site where it may run; may be given again.")] = None,
    priority: Annotated[str | None, typer.Option(help="low, normal (default), high or urgent.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Time limit (default: a day).", min=0.02)] = None,
    env: Annotated[list[str] | None, typer.Option("--env", "-e", help="NAME=VALUE; may be given again.")] = None,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Print the job's id and do not wait.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the job as JSON at the end.")] = False,
) -> None:
    """Run a command as a job: queue it, show its output, end with its exit code."""
    from gridhall.client import Client

    with Client() as client:
        options = _options(gpus, processes, site, priority, minutes, env)
        if file is None:
            request = _request(client, command or [], name, project, options)
        elif command:
            raise fault("gridhall run", "COMMAND", "is given, and a job file too", "leave one of them out")
        else:
            request = read_request(file, {"name": name, "project": project}, options)
        job = client.jobs.submit(request)
        say.status(f"{job.metadata.id} {job.status.state}: {job.status.reason}")
        if not detach:
            job = _watch(client, job)
        if as_json:
            say.as_json(job.model_dump(mode="json"))
        elif detach:
            print(job.metadata.id)
    if not detach and job.status.state != "completed":
        raise typer.Exit(_exit_code(job))


def _options(
    gpus: int | None,
    processes: int | None,
    site: list[str] | None,
    priority: str | None,
    minutes: float | None,
    env: list[str] | None,
) -> dict[str, Any]:
    """The part of a spec that the options give."""
    pairs = [pair.partition("=") for pair in env or []]
    wrong = [name for name, equals, _ in pairs if not equals]
    if wrong:
        raise fault("gridhall run", "--env", f"{wrong[0]!r} has no value", "write NAME=VALUE")
    given = {
        "resources": None if gpus is None else {"gpus": gpus},
        "processes_per_node": processes,
        "places": {"sites": site} if site else None,
        "priority": priority,
        "limit_ms": None if minutes is None else round(minutes * 60_000),
        "environment": {name: value for name, _, value in pairs} or None,
    }
    return _given(given)


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _request(
    client: "Client", command: list[str], name: str | None, project: str | None, options: dict[str, Any]
) -> "JobRequest":
    if not command:
        raise fault("gridhall run", "COMMAND", "is missing", "write it after --: gridhall run -- python train.py")
    if "resources" not in options:
        sites = client.items("/v1/sites")
        options["resources"] = {"gpus": int(any(each["status"]["capacity"]["gpus"] for each in sites))}
    document = {
        "name": name or Path(command[0]).name,
        **_given({"project": project}),
        "spec": {"command": command, "directory": str(Path.cwd()), **options},
    }
    return _checked("gridhall run", document)


NOTHING: dict[str, Any] = {}


def read_request(path: Path, about: dict[str, Any] = NOTHING, spec: dict[str, Any] = NOTHING) -> "JobRequest":
    """A job file, with parts of the request and of its spec laid over it. Raises InputError with every fault."""
    from gridhall.fleet.yamlfile import read_yaml

    return _checked(str(path), laid_over(read_yaml(path).data, {**_given(about), **({"spec": spec} if spec else {})}))


def laid_over(document: Any, over: dict[str, Any]) -> Any:
    """A document with values put in place of its own, mapping by mapping; what is no mapping is taken as it is."""
    if not isinstance(document, dict):
        return document
    known = cast("dict[str, Any]", document)
    return {**known, **{name: _inner(known.get(name), value) for name, value in over.items()}}


def _inner(known: Any, value: Any) -> Any:
    return (
        laid_over({} if known is None else known, cast("dict[str, Any]", value)) if isinstance(value, dict) else value
    )


def _checked(where: str, document: Any) -> "JobRequest":
    from pydantic import ValidationError

    from gridhall.errors import Fault, InputError
    from gridhall.server.objects.job import JobRequest

    try:
        return JobRequest.model_validate(document)
    except ValidationError as problem:
        faults = [
            Fault(where, ".".join(map(str, each["loc"])), f"{each['msg']} (got {each['input']!r:.80})", MEND)
            for each in problem.errors()
        ]
        raise InputError(faults) from problem


def _watch(client: "Client", job: "Job") -> "Job":
    """Show the output of rank 0 as it comes; the job at its end. An interrupt leaves the job running, and says how."""
    id = job.metadata.id
    try:
        for piece in client.jobs.log(id, follow=True):
            sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
        job = client.jobs.wait(id)
    except KeyboardInterrupt:
        say.status(f"{id} goes on; end it with: gridhall jobs cancel {id}")
        raise typer.Exit(130) from None
    ran_ms = (job.status.end_ms or 0) - (job.status.start_ms or 0)
    ended = "" if job.status.exit_code is None else f", exit code {job.status.exit_code}"
    attempts = list(client.items(f"/v1/jobs/{id}/attempts"))
    places = ", ".join(f"{place['site']}/{place['node']}" for place in attempts[-1]["places"]) if attempts else ""
    say.status(f"{id} {job.status.state} after {ran_ms / 1000:.1f} s on {places or 'no node'}{ended}")
    return job


def _exit_code(job: "Job") -> int:
    code = job.status.exit_code
    return EXIT_NOT_RUN if code is None or job.status.state != "failed" else code if code > 0 else 128 - code
