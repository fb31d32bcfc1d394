"""Fleets from a Slurm cluster and from lists of nodes, and what is wrong with such texts."""

from pathlib import Path

import pytest

from gridhall.errors import Fault, InputError
from gridhall.fleet import compile_fleet, dump_fleet, load_fleet
from gridhall.fleet.imports import SiteFacts, openb_fleet, read_nodes_csv, read_slurm
from gridhall.fleet.imports.hostlist import expand
from tests.shared import shared

NODE = """\
NodeName={name} Arch=x86_64 CoresPerSocket=56
   CPUAlloc=0 CPUEfctv=112 CPUTot=112 CPULoad=0.05
   Gres={gres}
   NodeAddr={name} NodeHostName={name} Version=24.11.5
   OS=Linux 6.1.0 #1 SMP PREEMPT_DYNAMIC
   RealMemory=2097152 AllocMem=0 FreeMem=2000000 Sockets=2 Boards=1
   State={state} ThreadsPerCore=1 TmpDisk=0 Weight=1
   Reason=back soon, then State=FUTURE [root@2026-01-01T00:00:00]
"""


def scontrol(names: list[str], gres: str = "gpu:h100:8(S:0-1)", state: str = "IDLE") -> str:
    return "\n".join(NODE.format(name=name, gres=gres, state=state) for name in names)


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def faults_of(nodes: Path, topology: Path | None = None, **types: str) -> list[Fault]:
    with pytest.raises(InputError) as caught:
        read_slurm(nodes, topology, SiteFacts(types=types))
    return caught.value.faults


def test_hostlists_expand_in_order_with_their_zeros() -> None:
    assert expand("gpu[008-010,3],login1") == ["gpu008", "gpu009", "gpu010", "gpu3", "login1"]
    assert expand("r[1-2]n[01-02]") == ["r1n01", "r1n02", "r2n01", "r2n02"]


@pytest.mark.parametrize("text", ["gpu[1-", "gpu1]", "gpu[a-b]", "gpu[5-1]", "gpu[1-99999999]"])
def test_a_broken_hostlist_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"bracket|range"):
        expand(text)


def test_leaf_switches_become_pods_and_the_switches_above_them_halls(tmp_path: Path) -> None:
    nodes = write(tmp_path, "nodes.txt", scontrol(expand("gpu[001-024]")))
    topology = write(
        tmp_path,
        "topology.conf",
        "# our fabric\nSwitchName=leaf1 Nodes=gpu[001-008]\nSwitchName=leaf2 \\\n  Nodes=gpu[009-016]\n"
        "switchname=leaf3 nodes=gpu[017-024]\nSwitchName=east Switches=leaf[1-2]\nSwitchName=west Switches=leaf3\n",
    )
    fleet = read_slurm(nodes, topology, SiteFacts(country="NO"))
    arrays = compile_fleet(fleet)
    assert arrays.hall_names == ("site/east", "site/west")
    assert arrays.pod_rack0.tolist() == [0, 2, 4, 6]  # 8 nodes are 2 racks of 4
    assert arrays.gpus == 24 * 8
    assert arrays.hw_names == ("h100",)
    assert fleet.sites[0].halls[1].rack_groups[0].hosts == tuple(expand("gpu[017-024]"))


def test_blocks_become_racks_that_are_measured(tmp_path: Path) -> None:
    nodes = write(tmp_path, "nodes.txt", scontrol(expand("t[01-36]"), "gpu:gb300:4"))
    topology = write(
        tmp_path, "topology.conf", "BlockName=b1 Nodes=t[01-18]\nBlockName=b2 Nodes=t[19-36]\nBlockSizes=18\n"
    )
    fleet = read_slurm(nodes, topology, SiteFacts())
    arrays = compile_fleet(fleet)
    assert arrays.rack_nodes.tolist() == [18, 18]
    assert arrays.rack_nvlink.tolist() == [1, 1]
    assert fleet.sites[0].halls[0].rack_groups[0].count.kind == "measured"


def test_an_imported_fleet_can_be_written_out_and_read_again(tmp_path: Path) -> None:
    nodes = write(tmp_path, "nodes.txt", scontrol(["a1", "a2"], "gpu:tesla_v100:4"))
    fleet = read_slurm(nodes, None, SiteFacts(types={"tesla_v100": "v100m32"}))
    dump_fleet(fleet, tmp_path / "fleet.yaml")
    assert load_fleet(tmp_path / "fleet.yaml") == fleet
    assert compile_fleet(fleet).hw_names == ("v100m32-4x-112c-2048g",)


def test_down_nodes_belong_to_the_fleet_but_future_and_gpuless_ones_do_not(tmp_path: Path) -> None:
    text = scontrol(["a"], state="DOWN*") + scontrol(["b"], state="FUTURE") + scontrol(["c"], gres="(null)")
    assert compile_fleet(read_slurm(write(tmp_path, "n", text), None, SiteFacts())).gpus == 8


def test_a_node_outside_the_topology_is_kept_and_noted(tmp_path: Path) -> None:
    nodes = write(tmp_path, "nodes.txt", scontrol(["a", "b"]))
    fleet = read_slurm(nodes, write(tmp_path, "t", "SwitchName=s Nodes=a"), SiteFacts())
    assert compile_fleet(fleet).gpus == 16
    assert any("1 GPU nodes" in note for note in fleet.notes)


def test_an_unknown_gpu_is_told_for_each_node_with_what_could_stand_for_it(tmp_path: Path) -> None:
    nodes = write(tmp_path, "nodes.txt", scontrol(["a", "b"], "gpu:8"))
    faults = faults_of(nodes)
    assert [fault.where for fault in faults] == [f"{nodes}:1", f"{nodes}:10"]
    assert "map 'gpu' to one of: a10, a100" in faults[0].mend
    assert compile_fleet(read_slurm(nodes, None, SiteFacts(types={"gpu": "h100"}))).gpus == 16


@pytest.mark.parametrize(
    ("text", "where", "field", "problem"),
    [
        ("", "1", "NodeName", "no node in the file"),
        ("slurm_load_node error: Unable to contact slurm controller\n", "1", "NodeName", "no node"),
        (scontrol(["a", "b"])[:600], "10", "RealMemory", "is missing for node 'b'"),
        (scontrol(["a", "a"]), "10", "NodeName", "'a' stands already at"),
        (scontrol(["a"], "gpu:h100:4,gpu:a100:4"), "1", "Gres", "several types"),
        (scontrol(["a"], "gpu:h100"), "1", "Gres", "does not say how many"),
        (scontrol(["a"], "gpu:h100:99"), "1", "gpus", "99 GPUs on one node"),
    ],
)
def test_broken_scontrol_output_is_told_with_its_line(
    tmp_path: Path, text: str, where: str, field: str, problem: str
) -> None:
    nodes = write(tmp_path, "nodes.txt", text)
    fault = faults_of(nodes)[0]
    assert (fault.where, fault.field) == (f"{nodes}:{where}", field)
    assert problem in fault.problem


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("", 1, "names no node"),
        ("SwitchName=a Nodes=x[1-\n", 1, "bracket"),
        ("SwitchName=a Nodes=x1\nSwitchName=b Nodes=x1\n", 2, "stands in two places"),
    ],
)
def test_a_broken_topology_is_told_with_its_line(tmp_path: Path, text: str, line: int, problem: str) -> None:
    topology = write(tmp_path, "topology.conf", text)
    fault = faults_of(write(tmp_path, "nodes.txt", scontrol(["x1"])), topology)[0]
    assert fault.where == f"{topology}:{line}"
    assert problem in fault.problem


HEADER = "sn,cpu_milli,memory_mib,gpu,model\n"


@pytest.mark.parametrize(
    ("text", "line", "field", "problem"),
    [
        ("", 1, "sn", "no such column"),
        ("sn,cpu_milli,gpu,model\na,1,1,T4\n", 1, "memory_mib", "no such column"),
        (HEADER, 2, "", "no rows"),
        (HEADER + "a,64000,262144,2,P100\nb,64000,x,2,P100\n", 3, "memory_mib", "'x' is not a whole number"),
        (HEADER + "a,64000,262144,2,P100\nb,64000\n", 3, "memory_mib", "'' is not a whole number"),
        (HEADER + "a,-1,262144,2,P100\n", 2, "cpu_milli", "'-1'"),
        (HEADER + "a,1000,1024,1,T4\na,1000,1024,1,T4\n", 3, "sn", "stands already"),
        (HEADER + "a,1000,1024,1,T5\n", 2, "model", "GPU model 'T5' is not in the catalogue"),
    ],
)
def test_a_broken_node_list_is_told_with_its_line(
    tmp_path: Path, text: str, line: int, field: str, problem: str
) -> None:
    path = write(tmp_path, "nodes.csv", text)
    with pytest.raises(InputError) as caught:
        read_nodes_csv(path, SiteFacts())
    fault = caught.value.faults[0]
    assert (fault.where, fault.field) == (f"{path}:{line}", field)
    assert problem in fault.problem


def test_a_node_list_with_other_headers_is_read_by_a_mapping(tmp_path: Path) -> None:
    path = write(tmp_path, "nodes.csv", "host,c,m,n,kind\na,104000,524288,2,T4\nb,104000,524288,0,\n")
    columns = {"name": "host", "cpu_milli": "c", "mem_mib": "m", "gpus": "n", "model": "kind"}
    fleet = read_nodes_csv(path, SiteFacts(), columns)
    assert compile_fleet(fleet).hw_names == ("t4",)
    assert "1 nodes without GPUs are left out." in fleet.notes


def test_facts_that_cannot_be_are_told(tmp_path: Path) -> None:
    path = write(tmp_path, "nodes.csv", HEADER + "a,1000,1024,1,T4\n")
    with pytest.raises(InputError) as caught:
        read_nodes_csv(path, SiteFacts(country="Norway", pue=0.9))
    assert [fault.field for fault in caught.value.faults] == ["country", "pue"]


def test_the_openb_cluster_has_its_published_nodes_and_gpus() -> None:
    arrays = compile_fleet(openb_fleet(shared("traces/openb/openb_node_list_gpu_node.csv")))
    assert int(arrays.rack_nodes.sum()) == 1213
    assert arrays.gpus == 6212
    assert arrays.rack_sharing.all()
    by_model: dict[str, int] = {}
    for cell, hw in enumerate(arrays.cell_hw):
        nodes = int(arrays.rack_nodes[arrays.rack_cell == cell].sum())
        model = arrays.hw_names[hw].partition("-")[0]
        by_model[model] = by_model.get(model, 0) + nodes
    assert by_model == {"g2": 549, "g3": 39, "t4": 404, "p100": 134, "v100m16": 55, "v100m32": 30, "a10": 2}
