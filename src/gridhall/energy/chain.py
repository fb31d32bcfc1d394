"""From the grid meter to the chip in closed form: Frontier's conversion chain.

    node    = CPU + GPUs + memory + NICs + NVMe
    sivoc   = (node + its own draw) / its efficiency                  380 V to 48 V, one for each node
    chassis = nodes x sivoc + switches
    input   = rectifiers x (chassis / rectifiers + own draw) / efficiency
    system  = racks x chassis per rack x input + CDUs x their constant

The constants are those that the ExaDigiT project publishes for Frontier (configuration of RAPS at 6c142bf, 2026-08).
With them the closed form meets RAPS' own output to four digits. These are reports, not decisions, hence floats.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Load:
    """Utilisation of processors, each 0..1 and the same on every node."""

    cpu: float
    gpu: float


@dataclass(frozen=True)
class Chain:
    """A liquid-cooled machine of equal racks. Powers in watts."""

    cpu_idle_w: float
    cpu_max_w: float
    gpu_idle_w: float
    gpu_max_w: float
    gpus_per_node: int
    memory_w: float
    nic_w: float
    nics_per_node: int
    nvme_w: float
    sivoc_own_w: float
    sivoc_efficiency: float
    nodes_per_chassis: int
    switch_w: float
    switches_per_chassis: int
    rectifiers_per_chassis: int
    rectifier_own_w: float
    rectifier_efficiency: float
    chassis_per_rack: int
    racks: int
    cdus: int
    cdu_w: float


FRONTIER = Chain(
    cpu_idle_w=90.0,
    cpu_max_w=280.0,
    gpu_idle_w=88.0,
    gpu_max_w=560.0,
    gpus_per_node=4,
    memory_w=74.26,
    nic_w=20.0,
    nics_per_node=4,
    nvme_w=30.0,
    sivoc_own_w=13.0,
    sivoc_efficiency=0.98,
    nodes_per_chassis=16,
    switch_w=250.0,
    switches_per_chassis=4,
    rectifiers_per_chassis=4,
    rectifier_own_w=17.0,
    rectifier_efficiency=0.96,
    chassis_per_rack=8,
    racks=74,
    cdus=25,
    cdu_w=8473.47,
)
"""Frontier at Oak Ridge: 9,472 nodes of one EPYC and four MI250X in 74 racks (source: see the top of this file)."""


@dataclass(frozen=True)
class ChainPower:
    """The chain's power at each stage, in watts. `loss_w` counts SIVOCs and rectifiers of the whole machine."""

    node_w: float
    rack_w: float
    system_w: float
    loss_w: float


def chain_power(chain: Chain, load: Load) -> ChainPower:
    """Power at each stage when every node carries the same load."""
    node_w = _node_w(chain, load)
    sivoc_w = (node_w + chain.sivoc_own_w) / chain.sivoc_efficiency
    chassis_w = chain.nodes_per_chassis * sivoc_w + chain.switches_per_chassis * chain.switch_w
    input_w = _rectified_w(chain, chassis_w)
    lost_w = chain.nodes_per_chassis * (sivoc_w - node_w) + (input_w - chassis_w)
    rack_w = chain.chassis_per_rack * input_w
    return ChainPower(
        node_w=node_w,
        rack_w=rack_w,
        system_w=chain.racks * rack_w + chain.cdus * chain.cdu_w,
        loss_w=chain.racks * chain.chassis_per_rack * lost_w,
    )


def _node_w(chain: Chain, load: Load) -> float:
    cpu_w = chain.cpu_idle_w + (chain.cpu_max_w - chain.cpu_idle_w) * load.cpu
    gpu_w = chain.gpu_idle_w + (chain.gpu_max_w - chain.gpu_idle_w) * load.gpu
    network_w = chain.nics_per_node * chain.nic_w
    return cpu_w + chain.gpus_per_node * gpu_w + chain.memory_w + network_w + chain.nvme_w


def _rectified_w(chain: Chain, chassis_w: float) -> float:
    each_w = chassis_w / chain.rectifiers_per_chassis + chain.rectifier_own_w
    return chain.rectifiers_per_chassis * each_w / chain.rectifier_efficiency
