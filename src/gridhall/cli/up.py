"""`gridhall up`: run the server."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from gridhall.cli import say
from gridhall.errors import fault

SMALL_FLEET_NODES = 512
"""Up to here the uncompiled kernels are quick enough, and nobody waits for a compiler."""


def up(
    fleet: Annotated[Path | None, typer.Argument(help="Fleet file; without one this machine is the fleet.")] = None,
    twin: Annotated[bool, typer.Option(help="Run over a simulated fleet instead of real machines.")] = False,
    speed: Annotated[float, typer.Option(help="Twin: how much faster than real time.", min=0.1, max=100_000)] = 1.0,
    load: Annotated[
        float, typer.Option(help="Twin: share of its GPUs asked for by synthetic work.", min=0, max=2)
    ] = 0.8,
    seed: Annotated[int, typer.Option(help="Twin: seed of its chances.", min=0)] = 1,
    config: Annotated[Path | None, typer.Option(help="Server file: engines of sites, database, rates.")] = None,
    folder: Annotated[Path | None, typer.Option(help="Where everything is kept (default ~/.gridhall).")] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 7410,
) -> None:
    """Run the server: API and controller in one process, over this machine, real engines or a twin."""
    if twin and fleet is None:
        raise fault("gridhall up", "--twin", "needs a fleet to simulate", "name a fleet file: examples/uk-2026.yaml")
    _choose_kernels(fleet)
    if find_spec("uvicorn") is None:
        raise fault("gridhall up", "", "the server is not installed", "pip install 'gridhall[server]'")
    import asyncio

    from gridhall.client import home_folder
    from gridhall.server.log_lines import log_to_stderr
    from gridhall.server.up import Wanted, serve

    log_to_stderr()
    wanted = Wanted(folder or home_folder(), fleet, config, host, port, twin, speed, load, seed)
    asyncio.run(serve(wanted, say.status))


def _choose_kernels(fleet: Path | None) -> None:
    """Whether to compile is settled before anything with a kernel is imported."""
    if "GRIDHALL_COMPILE" in os.environ:
        return
    if fleet is None or _nodes(fleet) <= SMALL_FLEET_NODES:
        os.environ["GRIDHALL_COMPILE"] = "0"
    else:
        say.status("a large fleet: its kernels are compiled, which takes about a minute the first time")


def _nodes(path: Path) -> int:
    from gridhall.fleet.load import load_fleet

    fleet = load_fleet(path)
    groups = [group for site in fleet.sites for hall in site.halls for group in hall.rack_groups]
    types = [fleet.hardware_type(group.type) for group in groups]
    return sum(
        group.count.whole * (group.nodes_per_rack or (hardware.nodes_per_rack if hardware else 1))
        for group, hardware in zip(groups, types, strict=True)
    )
