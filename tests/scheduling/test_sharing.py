import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gridhall.fleet import compile_fleet
from gridhall.fleet.arrays import FleetArrays
from gridhall.fleet.imports.nodes_csv import openb_fleet
from gridhall.kernel import COMPILED
from gridhall.scheduling.sharing import PoolPolicy, SharingColumns, TypicalPods, pool_set_types, typical_pods
from gridhall.scheduling.sharing_score import LOG
from tests.scheduling import sharing_entry as entry
from tests.scheduling.sharing_reference import Kind, Node, Pod, Pool
from tests.shared import shared

FLEET = entry.small_fleet()
EVERYWHERE = (1 << len(FLEET.cell_hw)) - 1
POLICIES = (PoolPolicy(), PoolPolicy(7, 3, 1000, 5), PoolPolicy(120, 0, 0, 1))

CPUS = st.sampled_from([0, 1000, 3000, 8000, 20000])
SHARED_GPU = st.builds(
    Pod, st.integers(1, EVERYWHERE), CPUS, st.sampled_from([0, 9000]), st.integers(1, 1000), st.just(1)
)
WHOLE_GPUS = st.builds(Pod, st.integers(1, EVERYWHERE), CPUS, st.just(1024), st.just(1000), st.integers(1, 8))
CPU_ONLY = st.builds(Pod, st.just(EVERYWHERE), CPUS, st.just(512), st.just(0), st.just(0))
PODS = st.one_of(SHARED_GPU, WHOLE_GPUS, CPU_ONLY)


def table(pods: list[Pod]) -> TypicalPods:
    rows = np.array([(pod.cpu_milli, pod.gpu_milli, pod.gpus, pod.cells) for pod in pods], dtype=np.int64)
    return typical_pods(*rows.T, coverage=1.0)


def reference(w: SharingColumns, types: TypicalPods, policy: PoolPolicy) -> Pool:
    """The pool as objects, from the compiled state's node order and the fleet's sizes."""
    gpus = [int(count) for count in w.view("pool_gpus")]
    sizes = zip(w.view("pool_cell"), w.view("pool_cpu"), w.view("pool_mem"), gpus, strict=True)
    nodes = [Node(int(cell), int(cpu), int(mem), [1000] * count) for cell, cpu, mem, count in sizes]
    columns = (types.cells, types.cpu_milli, types.gpu_milli, types.gpus, types.share_ppb)
    kinds = [
        Kind(Pod(cells, cpu, 0, milli, count), Fraction(share, 1_000_000_000))
        for cells, cpu, milli, count, share in zip(*(column.tolist() for column in columns), strict=True)
    ]
    demand = sum(kind.share * kind.pod.gpus * kind.pod.gpu_milli for kind in kinds)
    wanted = int(sum(kind.share * kind.pod.cpu_milli for kind in kinds) * 1000 / demand) if demand else 0
    weight = Fraction(policy.stranded_milli, 1000)
    return Pool(nodes, kinds, policy.step_milli, policy.round_milli, weight, wanted)


def preference(w: SharingColumns, pod: Pod) -> list[int]:
    """Every pool node that can take the pod, best first, as the kernels say."""
    found: list[int] = []
    node = -1
    while True:
        node = entry.find_after(w.handle, pod.cells, pod.cpu_milli, pod.mem_mib, pod.gpu_milli, pod.gpus, node)
        if node < 0:
            return found
        found.append(node)


def without_index(w: SharingColumns) -> SharingColumns:
    bare = w.fork()
    for name, kind in bare.declared.items():
        if kind.derived:
            bare.view(name)[:] = 0
    return bare


@settings(max_examples=150, deadline=None)
@given(
    kinds=st.lists(PODS, min_size=1, max_size=6),
    few=st.lists(PODS, min_size=1, max_size=14),
    moves=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 1000)), max_size=40),
    policy=st.sampled_from(POLICIES),
)
def test_decisions_equal_the_slow_reference_and_those_of_a_rebuilt_index(
    kinds: list[Pod], few: list[Pod], moves: list[tuple[int, int]], policy: PoolPolicy
) -> None:
    types = table(kinds)
    w = entry.pool(FLEET, types, policy, slots=8)
    slow = reference(w, types, policy)
    running: list[tuple[int, Pod, int]] = []
    for action, choice in moves:
        if action == 0:
            node = choice % len(slow.nodes)
            slow.nodes[node].up = not slow.nodes[node].up
            entry.set_up(w.handle, node, int(slow.nodes[node].up))
        elif action <= 2 and running:
            node, pod, mask = running.pop(choice % len(running))
            slow.take(node, pod, mask, -1)
            entry.give(w.handle, node, mask, pod.gpu_milli, pod.cpu_milli, pod.mem_mib)
        else:
            pod = few[choice % len(few)]
            expected = slow.preference(pod)
            assert preference(w, pod) == [node for _, node, _ in expected]
            assert preference(without_index(w), pod) == [node for _, node, _ in expected]
            if expected:
                _, node, mask = expected[0]
                assert entry.pick(w.handle, node, pod.cpu_milli, pod.gpu_milli, pod.gpus) == mask
                slow.take(node, pod, mask)
                entry.take(w.handle, node, mask, pod.gpu_milli, pod.cpu_milli, pod.mem_mib)
                running.append((node, pod, mask))


def test_what_is_given_back_leaves_no_trace_in_the_facts() -> None:
    w = entry.pool(FLEET, entry.usual_types(EVERYWHERE), PoolPolicy())
    before = w.digest()
    entry.take(w.handle, 3, 0b11, 460, 4000, 100)
    assert w.digest() != before
    entry.give(w.handle, 3, 0b11, 460, 4000, 100)
    assert w.digest() == before


def test_a_kind_of_pod_not_seen_for_longer_than_the_log_is_scored_anew() -> None:
    w = entry.pool(FLEET, entry.usual_types(EVERYWHERE), PoolPolicy())
    pod = Pod(EVERYWHERE, 1000, 0, 460, 1)
    first = preference(w, pod)
    entry.set_up(w.handle, first[0], 0)
    for _ in range(LOG + 1):
        entry.set_up(w.handle, first[1], 1)
    assert preference(w, pod) == first[1:]


def test_new_typical_pods_change_scores_that_are_cached() -> None:
    w = entry.pool(FLEET, entry.usual_types(EVERYWHERE), PoolPolicy())
    pod = Pod(EVERYWHERE, 1000, 0, 460, 1)
    preference(w, pod)
    pool_set_types(w, table([Pod(EVERYWHERE, 8000, 0, 1000, 8)]))
    assert preference(w, pod) == preference(without_index(w), pod)


def test_no_pods_have_no_typical_pods_and_set_the_pool_back() -> None:
    w = entry.pool(FLEET, None, PoolPolicy())
    before = w.digest()
    pool_set_types(w, entry.usual_types(EVERYWHERE))
    assert w.digest() != before
    pool_set_types(w, typical_pods(*np.zeros((4, 0), dtype=np.int64)))
    assert w.digest() == before


def test_without_typical_pods_the_first_node_that_fits_is_taken() -> None:
    w = entry.pool(FLEET, None, PoolPolicy())
    assert preference(w, Pod(EVERYWHERE, 1000, 0, 460, 1)) == list(range(len(w.pool_node)))


def test_a_pod_that_fits_nowhere_gets_no_node() -> None:
    w = entry.pool(FLEET, entry.usual_types(EVERYWHERE), PoolPolicy())
    assert entry.find(w.handle, EVERYWHERE, 1000, 0, 1000, 9) == -1
    assert entry.find(w.handle, EVERYWHERE, 10**9, 0, 1000, 1) == -1
    assert entry.find(w.handle, EVERYWHERE, 1000, 10**9, 1000, 1) == -1
    assert entry.find(w.handle, 0, 1000, 0, 1000, 1) == -1


def test_the_pool_is_every_node_of_the_racks_that_allow_sharing() -> None:
    w = entry.pool(FLEET, None, PoolPolicy())
    assert sorted(w.view("pool_node")) == list(range(int(FLEET.rack_node0[-1])))
    assert (w.view("pool_of_node")[w.view("pool_node")] == np.arange(len(w.pool_node))).all()
    assert w.view("pool_free").sum() == FLEET.gpus * 1000


def test_a_fleet_without_sharing_has_an_empty_pool() -> None:
    w = entry.pool(entry.small_fleet(shared=False), None, PoolPolicy())
    assert w.pool_count[0] == 0
    assert (w.view("pool_of_node") == -1).all()
    assert entry.find(w.handle, EVERYWHERE, 0, 0, 100, 1) == -1


def test_the_order_seed_changes_only_the_order_of_nodes() -> None:
    one = entry.pool(FLEET, None, PoolPolicy(order_seed=1)).view("pool_node")
    two = entry.pool(FLEET, None, PoolPolicy(order_seed=2)).view("pool_node")
    assert sorted(one) == sorted(two)
    assert (one != two).any()


def test_typical_pods_are_the_most_frequent_kinds_and_their_shares_make_a_whole() -> None:
    often, rare = Pod(1, 1000, 0, 500, 1), Pod(1, 1000, 0, 700, 1)
    rows = np.array([(p.cpu_milli, p.gpu_milli, p.gpus, p.cells) for p in [often] * 19 + [rare]], dtype=np.int64)
    assert typical_pods(*rows.T, coverage=0.95).gpu_milli.tolist() == [500]
    both = typical_pods(*rows.T, coverage=0.96)
    assert both.gpu_milli.tolist() == [500, 700]
    assert both.share_ppb.tolist() == [950_000_000, 50_000_000]
    third = typical_pods(*np.array([(0, milli, 1, 1) for milli in (100, 200, 300)], dtype=np.int64).T)
    assert third.share_ppb.sum() == 1_000_000_000


def openb(fleet: FleetArrays) -> TypicalPods:
    path = shared("traces/openb/openb_pod_list_default.csv")
    names = ("cpu_milli", "gpu_milli", "num_gpu")
    raw = np.genfromtxt(path, delimiter=",", names=True, dtype=None, encoding="utf-8", usecols=names)
    cpu, milli, gpus = (raw[name].astype(np.int64) for name in names)
    return typical_pods(cpu, np.where(gpus > 0, milli, 0), gpus, np.full(len(gpus), (1 << len(fleet.cell_hw)) - 1))


def test_the_empty_openb_cluster_is_as_fragmented_as_the_published_program_says() -> None:
    fleet = compile_fleet(openb_fleet(shared("traces/openb/openb_node_list_gpu_node.csv")))
    w = entry.pool(fleet, openb(fleet), PoolPolicy(stranded_milli=0))
    assert entry.total_fragmentation(w.handle) // 10**9 == 866_232


def test_plain_python_decides_as_compiled_kernels_do() -> None:
    environment = os.environ | {"GRIDHALL_COMPILE": "0" if COMPILED else "1"}
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "tests.scheduling.sharing_entry"]
    result = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == entry.digest_of_run()
