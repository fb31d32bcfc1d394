"""The power of a node in watts, as integers: fixed part, idle GPUs, and each GPU's share of its dynamic range.

The model is linear in the share, as in RAPS and OpenDC: a GPU at share 0 draws its idle power, at share 1000 its power
limit. Watts are rounded down once per GPU, so that the power of a gang is an exact multiple and every room that adds or
subtracts it agrees to the watt.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from gridhall.fleet.arrays import FleetArrays

FULL_SHARE_MILLI = 1000


def gpu_draw_w(idle_w: int, max_w: int, share_milli: int) -> int:
    """Watts of one GPU at `share_milli` per mille (0..1000) of its dynamic range."""
    return idle_w + (max_w - idle_w) * share_milli // FULL_SHARE_MILLI


@dataclass(frozen=True)
class NodePower:
    """What one node of a hardware type can draw. All values in watts, at the node's own input."""

    fixed_w: int
    gpu_idle_w: int
    gpu_max_w: int
    gpus: int

    @property
    def idle_w(self) -> int:
        """A node that is up and runs nothing."""
        return self.draw_w(())

    @property
    def full_w(self) -> int:
        """Every GPU at its power limit: what a node may be charged before its job is known."""
        return self.fixed_w + self.gpus * self.gpu_max_w

    def draw_w(self, shares_milli: Iterable[int]) -> int:
        """The node's power with one share for each busy GPU; the other GPUs idle."""
        return self.fixed_w + self.gpus * self.gpu_idle_w + sum(self.rise_w(1, s) for s in shares_milli)

    def rise_w(self, gpus: int, share_milli: int) -> int:
        """What a job adds above idle when it takes `gpus` GPUs at the same share: what a placement reserves."""
        return gpus * (gpu_draw_w(self.gpu_idle_w, self.gpu_max_w, share_milli) - self.gpu_idle_w)


def node_power(fleet: FleetArrays, hardware: int) -> NodePower:
    """The node of hardware type number `hardware` of a compiled fleet."""
    return NodePower(
        fixed_w=int(fleet.hw_node_fixed_w[hardware]),
        gpu_idle_w=int(fleet.hw_gpu_idle_w[hardware]),
        gpu_max_w=int(fleet.hw_gpu_max_w[hardware]),
        gpus=int(fleet.hw_gpus_per_node[hardware]),
    )
