"""What a kind of hardware is: one node with its GPUs, and how many nodes stand in a rack."""

from typing import Literal

from pydantic import Field

from gridhall.fleet.arrays import MAX_GPUS_PER_NODE, MAX_NODES_PER_RACK
from gridhall.fleet.figures import NotNegative, Part, Share

NO_GPU = "none"
"""The `gpu_model` of a host without GPUs."""


class Hardware(Part):
    """A hardware type. Power is linear: `node_fixed_w` whenever a node is up, plus idle to max watts for each GPU."""

    title: str
    gpu_model: str
    gpus_per_node: int = Field(ge=1, le=MAX_GPUS_PER_NODE)
    nodes_per_rack: int = Field(ge=1, le=MAX_NODES_PER_RACK)
    nvlink_domain: Literal["node", "rack"] = "node"
    gpu_idle_w: NotNegative
    gpu_max_w: NotNegative
    node_fixed_w: NotNegative
    rack_w: NotNegative | None = None  # as published; what is committed is `rack_max_w`
    cpu_cores: NotNegative
    mem_gib: NotNegative
    liquid_fraction: Share | None = None
    flow_lpm_per_kw: NotNegative | None = None
    dps_model: str | None = None  # name in NVIDIA DPS topologies

    @property
    def has_gpus(self) -> bool:
        """False for a host without GPUs (`gpu_model: none`), whose units of allocation are shares of its cores."""
        return self.gpu_model != NO_GPU

    @property
    def node_max_w(self) -> int:
        """Watts of one node with every GPU at its limit."""
        return self.node_fixed_w.whole + self.gpus_per_node * self.gpu_max_w.whole

    @property
    def node_idle_w(self) -> int:
        """Watts of one node that is up without work."""
        return self.node_fixed_w.whole + self.gpus_per_node * self.gpu_idle_w.whole

    @property
    def rack_max_w(self) -> int:
        """Watts of a full rack with every GPU at its limit: what a start commits on the power graph."""
        return self.nodes_per_rack * self.node_max_w
