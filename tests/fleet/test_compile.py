"""Compiled fleets: contiguous ranges, paths that end at a feed, counts that are kept, and speed."""

import time
from datetime import date

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gridhall.fleet import Fleet, FleetArrays, compile_fleet, shipped_hardware, uniform_fleet
from gridhall.fleet.arrays import FOREVER_MS, MAX_POWER_PATH
from gridhall.units import utc_ms

TYPES = ("h100", "gb300-nvl72", "t4")


@st.composite
def groups(draw: st.DrawFn, hall: int, nodes: list[str]) -> list[dict[str, object]]:
    return [
        {
            "prefix": f"h{hall}g{number}-",
            "count": draw(st.integers(1, 30)),
            "type": draw(st.sampled_from(TYPES)),
            "feeds": draw(st.lists(st.sampled_from(nodes), min_size=1, max_size=2, unique=True)),
            "pod_racks": draw(st.one_of(st.none(), st.integers(1, 9))),
            "sharing": draw(st.booleans()),
            "status": draw(st.sampled_from(["active", "paused"])),
            "ready_from": draw(st.one_of(st.none(), st.dates(date(2026, 1, 1), date(2027, 1, 1)))),
        }
        for number in range(draw(st.integers(1, 3)))
    ]


@st.composite
def power_nodes(draw: st.DrawFn) -> list[dict[str, object]]:
    """Families of nodes, at most three deep below the feeds f0 and f1."""
    nodes: list[dict[str, object]] = []
    layer = ["f0", "f1"]
    for depth in range(draw(st.integers(0, 3))):
        names = [f"n{depth}{letter}" for letter in "ab"[: draw(st.integers(1, 2))]]
        for name in names:
            parent, count = draw(st.sampled_from(layer)), draw(st.integers(1, 6))
            nodes.append({"id": name, "kind": "pdu", "parent": parent, "count": count, "usable_kw": 100})
        layer = names
    return nodes


@st.composite
def sites(draw: st.DrawFn, number: int) -> dict[str, object]:
    nodes = draw(power_nodes())
    names = ["f0", "f1", *(str(node["id"]) for node in nodes)]
    return {
        "id": f"s{number}",
        "country": "GB",
        "operator": "x",
        "grid": {"feeds": [{"tag": "f0", "limit_mw": 1}, {"tag": "f1", "limit_mw": 2}]},
        "power": {"nodes": nodes},
        "halls": [
            {"id": f"h{hall}", "rack_groups": draw(groups(hall, names))} for hall in range(draw(st.integers(1, 3)))
        ],
    }


@st.composite
def fleets(draw: st.DrawFn) -> Fleet:
    drawn = [draw(sites(number)) for number in range(draw(st.integers(1, 4)))]
    return Fleet.model_validate({"schema": "fleet/v1", "sites": drawn})


def assert_ranges_cover(starts: np.ndarray, members: np.ndarray) -> None:
    assert starts[0] == 0
    assert starts[-1] == len(members)
    assert (np.diff(starts) > 0).all()
    assert (np.repeat(np.arange(len(starts) - 1), np.diff(starts)) == members).all()


@settings(max_examples=60, deadline=None)
@given(fleet=fleets())
def test_cells_halls_and_pods_are_contiguous_and_nested(fleet: Fleet) -> None:
    arrays = compile_fleet(fleet)
    assert_ranges_cover(arrays.cell_rack0, arrays.rack_cell)
    assert_ranges_cover(arrays.hall_rack0, arrays.rack_hall)
    assert_ranges_cover(arrays.pod_rack0, arrays.rack_pod)
    assert (arrays.hall_cell[arrays.rack_hall] == arrays.rack_cell).all()
    assert (arrays.pod_hall[arrays.rack_pod] == arrays.rack_hall).all()
    keys = list(zip(arrays.cell_site.tolist(), arrays.cell_hw.tolist(), strict=True))
    assert keys == sorted(set(keys))
    assert (np.diff(arrays.rack_node0) == arrays.rack_nodes).all()
    assert len(set(arrays.rack_names)) == len(arrays.rack_names)
    assert len(set(arrays.hall_names)) == len(arrays.hall_names)


@settings(max_examples=60, deadline=None)
@given(fleet=fleets())
def test_every_rack_hangs_from_whole_chains_that_end_at_feeds(fleet: Fleet) -> None:
    arrays = compile_fleet(fleet)
    for rack, path in enumerate(arrays.rack_path.reshape(-1, MAX_POWER_PATH)):
        nodes = path[path >= 0].tolist()
        assert path[len(nodes) :].tolist() == [-1] * (MAX_POWER_PATH - len(nodes))
        assert len(set(nodes)) == len(nodes)
        parents = set(arrays.power_parent[nodes].tolist())
        assert parents - {-1} <= set(nodes), "every node's parent is on the path as well"
        assert arrays.power_parent[nodes[-1]] == -1
        assert arrays.power_kind[int(arrays.rack_feed[rack])] == "feed"
        assert int(arrays.rack_feed[rack]) in nodes
        assert set(arrays.power_site[nodes].tolist()) == {int(arrays.cell_site[arrays.rack_cell[rack]])}


@settings(max_examples=60, deadline=None)
@given(fleet=fleets())
def test_no_rack_gpu_or_date_is_lost(fleet: Fleet) -> None:
    arrays = compile_fleet(fleet)
    expected: list[tuple[str, int, int, int]] = []
    for site in fleet.sites:
        for hall in site.halls:
            for group in hall.rack_groups:
                ready = 0 if group.ready_from is None else utc_ms(group.ready_from)
                ready = FOREVER_MS if group.status == "paused" else ready
                expected += [
                    (group.type, int(group.sharing), ready, shipped_hardware()[group.type].nodes_per_rack)
                ] * group.count.whole
    types = [arrays.hw_names[hw] for hw in arrays.cell_hw[arrays.rack_cell]]
    columns = (arrays.rack_sharing, arrays.rack_ready_from_ms, arrays.rack_nodes)
    found = list(zip(types, *(column.tolist() for column in columns), strict=True))
    assert sorted(found) == sorted(expected)
    assert arrays.gpus == sum(nodes * shipped_hardware()[kind].gpus_per_node for kind, _, _, nodes in expected)


def test_children_of_a_family_are_spread_evenly_and_in_order() -> None:
    arrays = uniform_fleet(72 * 20, shares=(1,), pod_racks=8)
    row_pdu = [arrays.power_names[path[0]] for path in arrays.rack_path.reshape(-1, MAX_POWER_PATH)]
    assert row_pdu == sorted(row_pdu)
    assert sorted(row_pdu.count(name) for name in set(row_pdu)) == [6, 7, 7]


def test_a_feed_keeps_what_the_pue_leaves_to_the_it_load() -> None:
    arrays = uniform_fleet(720, shares=(1,), feed_headroom=1000, pue=1.25)
    assert arrays.site_pue_milli.tolist() == [1250]
    assert int(arrays.power_limit_w[0]) == 10 * shipped_hardware()["gb300-nvl72"].rack_max_w


def test_sixty_thousand_gpus_on_six_sites_are_833_racks() -> None:
    arrays = uniform_fleet(60_000)
    assert arrays.gpus == 833 * 72
    assert np.diff(arrays.cell_rack0).tolist() == [283, 183, 133, 100, 75, 59]


def test_sixty_thousand_gpus_compile_in_a_second_and_ten_times_as_many_too() -> None:
    for gpus in (60_000, 600_000):
        started = time.process_time()
        arrays = uniform_fleet(gpus, sharing_milli=50)
        assert time.process_time() - started < 1.0
        assert arrays.gpus == gpus // 72 * 72


def test_a_share_of_racks_can_be_set_apart_for_shared_gpus() -> None:
    arrays: FleetArrays = uniform_fleet(72 * 100, shares=(3, 1), sharing_milli=200)
    by_site = np.bincount(arrays.cell_site[arrays.rack_cell], arrays.rack_sharing)
    assert by_site.tolist() == [15, 5]


def test_sites_can_have_different_hardware() -> None:
    arrays = uniform_fleet(4_000, shares=(1, 1), hardware=("h100", "gb300-nvl72"))
    assert arrays.hw_names == ("h100", "gb300-nvl72")
    assert arrays.cell_hw.tolist() == [0, 1]
    assert arrays.gpus == 62 * 32 + 27 * 72
