"""Which engine runs which site: as the server's file says, and local processes for every site that it does not name."""

from collections.abc import Mapping
from pathlib import Path

from gridhall.engines.local.engine import LocalEngine
from gridhall.engines.protocol import Engine
from gridhall.engines.slurm.engine import SlurmEngine
from gridhall.server.config import Config
from gridhall.server.live.fleet_map import FleetMap


def engines_of(
    config: Config, fleet: FleetMap, folder: Path, ledger: str
) -> tuple[Mapping[str, Engine], Mapping[str, str]]:
    """The engines by name, and the name of each site's engine. `folder` is the server's: no job may read it.

    `ledger` names the log. Each has its own part of a shared folder: job numbers begin anew with every log, and work of
    another must not be taken for its own.
    """
    own = ledger.replace("/", "-")
    engines: dict[str, Engine] = {}
    engine_of_site: dict[str, str] = {}
    for name, settings in config.engines.items():
        engines[name] = SlurmEngine(settings.model_copy(update={"shared_folder": f"{settings.shared_folder}/{own}"}))
        engine_of_site[settings.site] = name
    local = [site for site in fleet.arrays.site_names if site not in engine_of_site]
    if local:
        nodes = {site: [node for at, node in fleet.node_index if at == site] for site in local}
        engines["local"] = LocalEngine(folder / "local", nodes, private=(folder,))
        engine_of_site |= dict.fromkeys(local, "local")
    return engines, engine_of_site
