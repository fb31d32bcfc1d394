"""`gridhall why`, `where` and `fit`: questions about a job that is there, or could be."""

from pathlib import Path
from typing import Annotated, Any

import typer

from gridhall.cli import say
from gridhall.units import iso_utc

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Id = Annotated[str, typer.Argument(help="The job's id.")]


def why(id: Id, as_json: Json = False) -> None:
    """Say in one sentence why a job waits."""
    from gridhall.client import Client

    with Client() as client:
        answer = client.jobs.why(id)
    say.as_json(answer) if as_json else print(answer["sentence"])


def where(id: Id, as_json: Json = False) -> None:
    """Say where a job ran or runs, with the log's proof, and what is not proven."""
    from gridhall.client import Client

    with Client() as client:
        answer = client.jobs.where(id)
    if as_json:
        say.as_json(answer)
        return
    for attempt in answer["attempts"]:
        print(f"attempt {attempt['attempt']}")
        for fact in attempt["facts"]:
            print(f"  {fact['name']}: {fact['value']}  ({fact['rests_on']}; says {fact['said_by']})")
        for proof in attempt["proofs"]:
            print(f"  {proof['about']} is entry {proof['entry']:,} of the log; its proof:\n\n{proof['proof']}")
    print("not proven:")
    for each in answer["not_proven"]:
        print(f"  - {each}")


def fit(
    file: Annotated[Path, typer.Argument(help="A job file (YAML), as for `gridhall run -f`.")],
    as_json: Json = False,
) -> None:
    """Say what would become of a job: where, when, at what price; nothing is submitted."""
    from gridhall.cli.run import read_request
    from gridhall.client import Client

    request = read_request(file)
    with Client() as client:
        body = {"jobs": [request.model_dump(mode="json", exclude_defaults=True)]}
        answer: dict[str, Any] = client.post("/v1/fit", body)["items"][0]
    if as_json:
        say.as_json(answer)
    else:
        _print_fit(answer)
    if answer["verdict"] == "refused":
        raise typer.Exit(1)


def _print_fit(answer: dict[str, Any]) -> None:
    start = "" if answer["start_ms"] is None else f", at the earliest {iso_utc(answer['start_ms'])}"
    print(f"{answer['verdict']}{start}: {answer['constraint']}")
    if answer["places"]:
        print("on " + ", ".join(f"{place['site']}/{place['node']}" for place in answer["places"]))
    for word, title in (("for_prediction", "as long as similar work"), ("for_limit", "up to its limit")):
        if answer[word]:
            print(f"{title}: {_estimate(answer[word])}")


def _estimate(made: dict[str, Any]) -> str:
    parts = [f"{made['duration_ms'] / 3_600_000:.2f} h", f"{made['energy_kwh']:.3f} kWh"]
    if made["price_micro"] is not None:
        parts.append(f"{made['price_micro'] / 1e6:.2f} {made['currency']}")
    if made["carbon_g"] is not None:
        parts.append(f"{made['carbon_g']:.0f} gCO2")
    return ", ".join(parts)
