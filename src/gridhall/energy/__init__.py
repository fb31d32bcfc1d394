"""What may it draw? The room that turns work into watts and watts into energy.

- `power` says what a node draws: a fixed part while it is up, an idle part for each GPU, and the share of each GPU's
  dynamic range that its job uses. Watts are integers, because decisions are made on them.
- `integral` turns the instants at which a draw changed into exact energy: between two changes it is a constant, so
  its integral is a product and needs no time step.
- `chain` is the way from the meter to the chip of a machine whose conversion losses are published (Frontier): a closed
  form that `gridhall validate` holds against the published figures.

Everything here is a pure function of numbers. Limits are counted by `fleet.capacity` and reserved by `scheduling`.
"""

from gridhall.energy.chain import FRONTIER, Chain, Load, chain_power
from gridhall.energy.integral import carbon_ug, energy_mj
from gridhall.energy.power import NodePower, gpu_draw_w, node_power

__all__ = [
    "FRONTIER",
    "Chain",
    "Load",
    "NodePower",
    "carbon_ug",
    "chain_power",
    "energy_mj",
    "gpu_draw_w",
    "node_power",
]
