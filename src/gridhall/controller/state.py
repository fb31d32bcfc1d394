"""The controller's state: the columns of every room joined, sized for one fleet, and filled from it."""

from dataclasses import dataclass

import numpy as np

from gridhall.controller.events import EVENT_WIDTH
from gridhall.fleet.arrays import FleetArrays
from gridhall.fleet.capacity import PART_SETS, RACK_SETS, set_words
from gridhall.kernel import Columns, Ints, column
from gridhall.scheduling.owners import StartColumns
from gridhall.scheduling.policy import Policy
from gridhall.scheduling.sharing import TypicalPods, pool_init, pool_set_types, pool_sizes
from gridhall.scheduling.starts import NOTHING_REFUSED
from gridhall.tenancy import Tenancy
from gridhall.tenancy.quota import UNLIMITED


class ControllerState(StartColumns):
    """All that the core knows. `event` is the inbox of one row; the effects of the last step stand in `effects`."""

    event = column(EVENT_WIDTH, derived=True)
    now_ms = column(1)
    wake_ms = column(1)  # the wake-up that was asked for, 0 = none
    project_room = column(1)  # how many projects there can be
    cell_nodes_all = column("cells")  # nodes of a cell whenever they come
    n_slots = column(1)
    power_nodes = column(1)
    desk_wake_ms = column(1)  # when the energy desk asked to look again, 0 = not
    power_stood_w = column("power", derived=True)  # scratch: told to stand still when the desk began to let gangs go


@dataclass(frozen=True)
class Room:
    """How many organisations and projects there can ever be."""

    organisations: int
    projects: int


def new_state(
    fleet: FleetArrays,
    tenancy: Tenancy,
    policy: Policy,
    slots: int = 4096,
    typical: TypicalPods | None = None,
    room: Room | None = None,
) -> ControllerState:
    """A state for a fleet on which nothing is up yet: nodes join by NODE_UP events.

    `typical` is the work that the shared pool is to expect; without it the pool takes the first node that fits.
    `slots` is the room for jobs queued and running; `grow_state` makes more. Without `room` there will be no more
    organisations and projects than there are.
    """
    sizes = state_sizes(fleet, room or Room(len(tenancy.organisations), len(tenancy.projects)), slots)
    w = ControllerState(sizes)
    fill_fleet(w, fleet)
    fill_sets(w)
    fill_tenancy(w, tenancy)
    w.policy[: len(policy.numbers())] = policy.numbers()
    w.cell_spares[:] = policy.spares(w.cell_nodes_all[:])
    pool_init(w, fleet, policy.pool.settings())
    w.pool_up[:] = 0
    if typical is not None:
        pool_set_types(w, typical)
    w.shared_refused_milli[0] = NOTHING_REFUSED
    w.n_slots[0] = slots
    w.effect_room[0] = sizes["effects"]
    w.effect_digest[:] = (2166136261, 40389)
    w.chunk_next[:-1] = np.arange(2, len(w.chunk_next) + 1)
    w.chunk_free[0] = 1
    return w


def state_sizes(fleet: FleetArrays, room: Room, slots: int) -> dict[str, int]:
    """The named sizes of all columns."""
    racks = len(fleet.rack_cell)
    sizes = {
        "cells": len(fleet.cell_site),
        "halls": len(fleet.hall_cell),
        "pods": len(fleet.pod_hall),
        "racks": racks,
        "nodes": int(fleet.rack_node0[-1]),
        "power": len(fleet.power_limit_w),
        "projects": room.projects,
        "organisations": room.organisations,
        "quotas": 1 + room.organisations + room.projects,
        "ceilings": 1 + len(fleet.hw_names),
        "slots": slots,
        "slot_words": (slots + 31) // 32,
        "picks": racks,
        "chunks": 4 * racks + int(fleet.rack_node0[-1]) * 4 + slots,
        "effects": 4096 + 4 * slots + 8 * racks,
    }
    sizes |= {f"{name}_1": sizes[name] + 1 for name in ("cells", "halls", "pods", "racks")}
    sizes["bit_words"] = sum(words for pair in set_spans(fleet) for words in pair)
    return sizes | pool_sizes(fleet)


def set_spans(fleet: FleetArrays) -> list[tuple[int, int]]:
    """Words for the sets of racks and for the sets of nodes, cell by cell."""
    spans: list[tuple[int, int]] = []
    for first, last in zip(fleet.cell_rack0[:-1], fleet.cell_rack0[1:], strict=True):
        nodes = int(fleet.rack_node0[last] - fleet.rack_node0[first])
        spans.append((set_words(int(last - first)) * RACK_SETS, set_words(nodes) * PART_SETS))
    return spans


def fill_fleet(w: ControllerState, fleet: FleetArrays) -> None:
    """Copy the compiled fleet into the state's columns."""
    hw = fleet.cell_hw
    w.cell_site[:], w.cell_hw[:] = fleet.cell_site, hw
    w.cell_gpus_per_node[:] = fleet.hw_gpus_per_node[hw]
    idle = fleet.hw_node_fixed_w + fleet.hw_gpus_per_node * fleet.hw_gpu_idle_w
    w.cell_node_idle_w[:] = idle[hw]
    w.cell_gpu_span_w[:] = (fleet.hw_gpu_max_w - fleet.hw_gpu_idle_w)[hw]
    for name in ("cell_rack0", "hall_rack0", "pod_rack0", "rack_cell", "rack_hall", "rack_pod", "rack_node0"):
        getattr(w, name)[:] = getattr(fleet, name)
    w.rack_path[:] = fleet.rack_path
    w.power_limit_w[:] = fleet.power_limit_w
    w.power_nodes[0] = len(fleet.power_limit_w)
    w.cell_hall0[:] = first_of(fleet.hall_cell, len(w.cell_site))
    w.hall_pod0[:] = first_of(fleet.pod_hall, len(fleet.hall_cell))
    w.node_rack[:] = np.repeat(np.arange(len(fleet.rack_cell)), np.diff(fleet.rack_node0))
    np.maximum.at(w.view("cell_rack_size"), fleet.rack_cell, fleet.rack_nodes)
    sharing = fleet.rack_sharing == 1
    np.add.at(w.view("cell_nodes_all"), fleet.rack_cell[~sharing], fleet.rack_nodes[~sharing])
    np.add.at(w.view("cell_shared_nodes"), fleet.rack_cell[sharing], fleet.rack_nodes[sharing])
    w.node_shared[:] = fleet.rack_sharing[w.node_rack[:]]
    w.node_free_ms[:] = 1 << 60
    w.all_cells[0] = (1 << len(w.cell_site)) - 1


def first_of(parents: Ints, count: int) -> Ints:
    """For children sorted by parent: where each parent's children begin, and a closing entry."""
    return np.searchsorted(parents, np.arange(count + 1)).astype(np.int64)


def fill_sets(w: ControllerState) -> None:
    """Lay the cells' sets of racks and of partly used nodes one after the other."""
    at = 0
    for cell in range(len(w.cell_site)):
        first, last = int(w.cell_rack0[cell]), int(w.cell_rack0[cell + 1])
        w.cell_rack_words[cell] = set_words(last - first)
        w.cell_rack_bits0[cell] = at
        at += int(w.cell_rack_words[cell]) * RACK_SETS
        w.cell_node_words[cell] = set_words(int(w.rack_node0[last] - w.rack_node0[first]))
        w.cell_node_bits0[cell] = at
        at += int(w.cell_node_words[cell]) * PART_SETS


def fill_tenancy(w: ControllerState, tenancy: Tenancy) -> None:
    """Weights and the quota tree: root, organisations, projects."""
    organisations, projects = len(tenancy.organisations), len(tenancy.projects)
    nodes = w.cell_nodes_all[:] + w.cell_shared_nodes[:]
    gpus = int((nodes * w.cell_gpus_per_node[:]).sum())
    w.n_projects[0], w.n_organisations[0], w.fleet_gpus[0] = projects, organisations, gpus
    w.org_weight[:organisations] = [each.weight for each in tenancy.organisations]
    w.project_weight[:projects] = [each.weight for each in tenancy.projects]
    w.project_org[:projects] = tenancy.project_organisation()
    w.project_room[0], w.ceiling_kinds[0] = w.sizes["projects"], w.sizes["ceilings"]
    first = w.quota_project0[0] = 1 + w.sizes["organisations"]
    tree = tenancy.quota_tree(gpus)
    made = np.r_[: 1 + organisations, first : first + projects]
    w.view("quota_parent")[made], w.view("quota_total")[made] = tree.parent, tree.total
    w.view("quota_nominal")[made], w.view("quota_most")[made] = tree.nominal, tree.most
    w.view("quota_guarantee")[made] = tree.guarantee
    w.view("quota_borrow")[made] = np.minimum(tree.borrow, UNLIMITED)
    w.view("quota_lend")[made] = np.minimum(tree.lend, UNLIMITED)


def grow_state(w: ControllerState, slots: int) -> ControllerState:
    """The same state with room for more jobs."""
    sizes = w.sizes | {"slots": slots, "slot_words": (slots + 31) // 32}
    extra = slots - w.sizes["slots"]
    sizes["chunks"] = w.sizes["chunks"] + extra
    sizes["effects"] = w.sizes["effects"] + 4 * extra
    bigger = ControllerState(sizes)
    bigger.load(w.columns())
    old = w.sizes["chunks"]
    bigger.chunk_next[old:] = np.arange(old + 2, sizes["chunks"] + 2)
    bigger.chunk_next[-1] = w.chunk_free[0]
    bigger.chunk_free[0] = old + 1
    bigger.n_slots[0] = slots
    bigger.effect_room[0] = sizes["effects"]
    return bigger


def snapshot(w: Columns) -> dict[str, Ints]:
    """All columns by name, copied: what a snapshot file holds."""
    return {name: values.copy() for name, values in w.columns().items()}
