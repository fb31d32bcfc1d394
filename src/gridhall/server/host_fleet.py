"""A fleet of one node: this machine, for those who begin without a fleet file.

A machine without GPUs is a host whose units of allocation are shares of its cores. What it draws is assumed and says
so; its country is ZZ, "not stated", until somebody states it.
"""

from gridhall.engines.local.host import Host
from gridhall.fleet.arrays import MAX_GPUS_PER_NODE
from gridhall.fleet.hardware import NO_GPU
from gridhall.fleet.models import Fleet

SITE = "here"
NOT_STATED = "ZZ"
GPU_IDLE_W = 20
GPU_MAX_W = 300
CORE_W = 10
NODE_W = 50


def host_fleet(host: Host, country: str = NOT_STATED) -> Fleet:
    """The fleet file that describes a machine."""
    units = min(MAX_GPUS_PER_NODE, len(host.gpus) or host.cores)
    model = host.gpus[0].name if host.gpus else NO_GPU
    max_w = GPU_MAX_W if host.gpus else round(CORE_W * host.cores / units)
    hardware = {
        "title": f"{host.name}: {host.cores} cores" + (f", {len(host.gpus)} x {model}" if host.gpus else ", no GPU"),
        "gpu_model": model,
        "gpus_per_node": units,
        "nodes_per_rack": 1,
        "gpu_idle_w": GPU_IDLE_W if host.gpus else 0,
        "gpu_max_w": max_w,
        "node_fixed_w": NODE_W,
        "cpu_cores": {"value": host.cores, "kind": "measured"},
        "mem_gib": {"value": host.memory_mib / 1024, "kind": "measured"},
    }
    group = {"prefix": "rack-", "count": 1, "type": "this-machine", "feeds": ["socket"], "hosts": [host.name]}
    site = {
        "id": SITE,
        "title": "This machine",
        "country": country,
        "operator": "you",
        "pue": 1.0,
        "grid": {"feeds": [{"tag": "socket", "limit_mw": (NODE_W + units * max_w) / 1e6 * 1.25}]},
        "halls": [{"id": "hall", "rack_groups": [group]}],
    }
    document = {
        "schema": "fleet/v1",
        "title": "This machine, as it was found",
        "hardware": {"this-machine": hardware},
        "sites": [site],
    }
    return Fleet.model_validate(document)
