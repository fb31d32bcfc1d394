"""The Slurm benchmark's fleet is the cluster's nodes, and its figures are of the waits that it was given."""

from pathlib import Path

import pytest
import yaml

from benchmarks.slurm import Times, Wait, figures, fleet_of, measure
from gridhall.fleet.load import load_fleet
from gridhall.server.live.fleet_map import map_fleet
from tests.slurm.cluster import GPUS_PER_NODE, Cluster


def cluster_of(nodes: int) -> Cluster:
    return Cluster("bench", Path("/nowhere"), tuple(f"bench{index:03d}" for index in range(nodes)), 1, 2)


def test_the_fleet_has_every_node_of_the_cluster_under_its_slurm_name(tmp_path: Path) -> None:
    cluster = cluster_of(64)
    path = tmp_path / "fleet.yaml"
    path.write_text(yaml.safe_dump(fleet_of(cluster)))
    fleet = map_fleet(load_fleet(path))
    assert set(fleet.node_index) == {("bench", node) for node in cluster.nodes}
    assert fleet.arrays.hw_gpus_per_node.tolist() == [GPUS_PER_NODE]


def test_nodes_that_do_not_fill_their_racks_are_refused() -> None:
    with pytest.raises(ValueError, match="63 nodes do not fill racks of 4"):
        fleet_of(cluster_of(63))


def test_both_ways_are_asked_equally_often_at_the_same_moments_of_the_second(monkeypatch: pytest.MonkeyPatch) -> None:
    clock_s, asked_s = [0.0], {"one": list[float](), "other": list[float]()}
    monkeypatch.setattr("time.time_ns", lambda: round(clock_s[0] * 1e9))
    monkeypatch.setattr("time.sleep", lambda seconds: clock_s.__setitem__(0, clock_s[0] + seconds))

    def way(name: str, took_s: float):
        def run(number: int) -> Times:
            """The scheduler looks at every whole second."""
            if number:
                asked_s[name].append(clock_s[0])
            answered_s = clock_s[0] + took_s
            clock_s[0] = float(int(answered_s) + 1)
            return Times(round(answered_s * 1e9), round(clock_s[0] * 1e9))

        return run

    waits = measure({"one": way("one", 0.01), "other": way("other", 0.02)}, 4)
    moments = {name: sorted(round(each % 1, 6) for each in times) for name, times in asked_s.items()}
    assert moments == {"one": [0.125, 0.375, 0.625, 0.875], "other": [0.125, 0.375, 0.625, 0.875]}
    assert [round(wait.answered_ms) for wait in waits["other"]] == [20] * 4


def test_the_overhead_is_the_difference_of_the_medians() -> None:
    found = figures({"gridhall": [Wait(9, 140), Wait(7, 150), Wait(8, 900)], "sbatch": [Wait(5, 100), Wait(5, 101)]})
    assert found["overhead_p50_ms"] == 49.5
    assert found["gridhall_p99_ms"] == 900
    assert found["gridhall_answered_p50_ms"] == 8
