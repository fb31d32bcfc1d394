"""The server's own file: which engine runs which site, where the store is, what it costs. All of it can be left out.

schema: server/v1
store: postgresql://gridhall@db.example/gridhall
rates: rates.yaml
engines:
  london:
    kind: slurm
    site: lon
    rest_url: http://slurm.lon.example:6820
    slurm_conf: /etc/slurm/lon/slurm.conf
    shared_folder: /shared/gridhall
    user: gridhall
    partition: batch

`rates` is found beside the file.
"""

from pathlib import Path
from typing import Literal

from pydantic import Field

from gridhall.engines.slurm.settings import SlurmSettings
from gridhall.errors import InputError, fault
from gridhall.fleet.figures import Part
from gridhall.fleet.models import Fleet, Id
from gridhall.fleet.typed import typed
from gridhall.fleet.yamlfile import read_yaml


class SlurmCluster(SlurmSettings):
    """A Slurm cluster, which is one site."""

    kind: Literal["slurm"]


class Config(Part):
    """The whole file. Sites that no engine names are run by local processes."""

    schema_id: Literal["server/v1"] = Field(default="server/v1", validation_alias="schema")
    store: str | None = None
    engines: dict[Id, SlurmCluster] = Field(default_factory=dict[str, SlurmCluster])
    rates: Path | None = None


def load_config(path: Path, fleet: Fleet) -> Config:
    """Read a server's file. Raises InputError with every fault; also for sites that the fleet does not have."""
    document = read_yaml(path)
    config, faults = typed(document, Config)
    if faults or config is None:
        raise InputError(faults)
    sites = {site.id for site in fleet.sites}
    seen: dict[str, str] = {}
    for name, engine in config.engines.items():
        field = f"engines.{name}.site"
        if engine.site not in sites:
            raise fault(str(path), field, f"{engine.site} is not in the fleet", f"one of {', '.join(sorted(sites))}")
        if engine.site in seen:
            raise fault(str(path), field, f"{engine.site} is {seen[engine.site]}'s already", "name it once")
        seen[engine.site] = name
    return config if config.rates is None else config.model_copy(update={"rates": path.parent / config.rates})
