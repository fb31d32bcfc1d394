"""What Gridhall must be told about a Slurm cluster."""

from pydantic import BaseModel, ConfigDict, Field, field_validator


class SlurmSettings(BaseModel):
    """One cluster, which is one site.

    `rest_url` is slurmrestd's address, `user` the Slurm user under whom every job runs, `shared_folder` a folder that
    this machine and every node see under the same path. The token comes from `token_file`, else from what
    `token_command` prints; with neither, `scontrol token` is asked, which only root and Slurm's own user may.
    `python` is the interpreter on the nodes (3.8 or newer). `nodes` maps fleet names to Slurm's where they differ.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    site: str = Field(min_length=1)
    rest_url: str = Field(pattern=r"^https?://")
    shared_folder: str
    user: str = Field(min_length=1)
    partition: str = Field(min_length=1)
    slurm_conf: str = "/etc/slurm/slurm.conf"
    token_file: str = ""
    token_command: tuple[str, ...] = ()
    python: str = "python3"
    nodes: dict[str, str] = Field(default_factory=dict[str, str])

    @field_validator("shared_folder")
    @classmethod
    def _plain(cls, path: str) -> str:
        if not path.startswith("/") or any(mark in path for mark in "%\\\n"):
            raise ValueError("must be an absolute path without %, backslash or line break: Slurm expands those")
        return path.rstrip("/")

    @field_validator("nodes")
    @classmethod
    def _one_to_one(cls, nodes: dict[str, str]) -> dict[str, str]:
        if len(set(nodes.values())) < len(nodes):
            raise ValueError("two nodes of the fleet have the same name in Slurm: give each its own")
        return nodes

    def slurm_node(self, node: str) -> str:
        """Slurm's name of a node of the fleet."""
        return self.nodes.get(node, node)

    def fleet_nodes(self) -> dict[str, str]:
        """The fleet's name of each node that Slurm names otherwise."""
        return {slurm: fleet for fleet, slurm in self.nodes.items()}
