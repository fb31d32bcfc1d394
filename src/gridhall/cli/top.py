"""`gridhall top`: a server, live in the terminal: sites, power against limits, the queue by reason, jobs."""

import sys
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gridhall.cli.say import FILE_WIDTH
from gridhall.units import iso_utc

if TYPE_CHECKING:
    from rich.console import Group, RenderableType

    from gridhall.client import Client

Object = dict[str, Any]
JOBS_SHOWN = 15
BAR_CELLS = 12


def top(
    every: Annotated[float, typer.Option(help="Seconds between two looks.", min=0.1)] = 1.0,
    once: Annotated[bool, typer.Option(help="Look once, print, and end.")] = False,
) -> None:
    """Show a server live: sites, power against limits, queue by reason, jobs. Control-C ends it."""
    from rich.console import Console
    from rich.live import Live

    from gridhall.client import Client

    console = Console(width=None if sys.stdout.isatty() else FILE_WIDTH)
    with Client() as client:
        if once:
            console.print(screen(client))
            return
        with Live(screen(client), console=console, screen=True, auto_refresh=False) as live:
            try:
                while True:
                    time.sleep(every)
                    live.update(screen(client), refresh=True)
            except KeyboardInterrupt:
                return


def screen(client: "Client") -> "Group":
    """What is to be seen now."""
    from rich.console import Group
    from rich.text import Text

    sites = list(client.items("/v1/sites"))
    queues = list(client.items("/v1/queues"))
    jobs = client.get("/v1/jobs", limit=JOBS_SHOWN)["items"]
    simulated = any(site["status"]["engine"] == "twin" for site in sites)
    title = Text(f"{client.url}" + ("   SIMULATED: these machines are a twin's" if simulated else ""), style="bold")
    return Group(title, _sites(sites), _queue(queues), _jobs(jobs))


def _sites(sites: Iterable[Object]) -> "RenderableType":
    rows = [
        (
            site["metadata"]["id"],
            site["spec"]["country"],
            site["status"]["engine"],
            f"{capacity['gpus_used']:,} / {capacity['gpus_up']:,}",
            bar(capacity["gpus_used"], capacity["gpus_up"]),
            f"{capacity['gpus_out']:,}",
            "\n".join(f"{limit['committed_w'] / 1e6:.3f} / {limit['limit_w'] / 1e6:.3f} MW" for limit in power),
            "\n".join(bar(limit["committed_w"], limit["limit_w"]) for limit in power),
        )
        for site in sites
        for capacity, power in [(site["status"]["capacity"], site["status"]["power"])]
    ]
    return _table("sites", ("site", "country", "engine", "used / up", "", "out", "committed / limit", ""), rows)


def _queue(queues: Iterable[Object]) -> "RenderableType":
    rows = [
        (
            queue["spec"]["priority"],
            waiting["project"],
            f"{waiting['jobs']:,}",
            f"{waiting['gpus']:,}",
            _age(waiting["oldest_ms"]),
            waiting["words"],
        )
        for queue in queues
        for waiting in queue["status"]["waiting"]
    ]
    return _table("waiting", ("priority", "project", "jobs", "GPUs", "oldest", "why"), rows)


def _jobs(jobs: Iterable[Object]) -> "RenderableType":
    rows = [
        (
            job["metadata"]["id"],
            job["metadata"]["name"],
            job["status"]["state"],
            str(job["spec"]["resources"]["gpus"]),
            iso_utc(job["status"]["submit_ms"]),
            _places(job["status"]["places"]),
        )
        for job in jobs
    ]
    return _table("newest jobs", ("id", "name", "state", "GPUs", "submitted", "on"), rows)


def _places(places: list[Object]) -> str:
    if not places:
        return ""
    more = f" and {len(places) - 1} more" if len(places) > 1 else ""
    return f"{places[0]['site']}/{places[0]['node']}{more}"


def bar(part: float, whole: float) -> str:
    """A share drawn, with its per cent."""
    share = 0.0 if not whole else min(1.0, part / whole)
    full = round(share * BAR_CELLS)
    return f"{'█' * full}{'░' * (BAR_CELLS - full)} {share:4.0%}"


def _age(age_ms: int) -> str:
    minutes = age_ms // 60_000
    return f"{minutes // 60} h {minutes % 60:02d}" if minutes >= 60 else f"{minutes} min"


def _table(title: str, head: tuple[str, ...], rows: list[tuple[str, ...]]) -> "RenderableType":
    from rich import box
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in head:
        table.add_column(name)
    for row in rows:
        table.add_row(*row)
    return table
