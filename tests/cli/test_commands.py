"""The commands end to end, on a toy fleet and with kernels as plain Python so that nothing has to be compiled."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LAPTOP = ROOT / "examples" / "scenarios" / "laptop.yaml"
TWO_DAYS = ("--set", "days=2")


def gridhall(folder: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"GRIDHALL_COMPILE": "0", "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "200"}
    command = [sys.executable, "-m", "gridhall.cli", *map(str, words)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


def answer(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    done = gridhall(folder, "simulate", LAPTOP, *TWO_DAYS, "--out", "one")
    assert done.returncode == 0, done.stderr
    (folder / "said.txt").write_text(done.stdout + done.stderr)
    return folder


def test_help_costs_next_to_nothing() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = gridhall(ROOT, "--help")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0
    assert "simulate" in done.stdout
    # The bar is 0.3 CPU-s on an idle machine; a crowded one may take half as much again.
    assert (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime) < 0.45


def test_help_imports_nothing_heavy() -> None:
    heavy = "('numpy', 'polars', 'numba', 'pydantic', 'rich')"
    code = f"import sys; import gridhall.cli.app; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_run_leaves_tables_summary_and_report(finished: Path) -> None:
    names = {entry.name for entry in (finished / "one").iterdir()}
    tables = {"jobs", "intervals", "site_power", "queue", "fleet"}
    assert names == {*tables, "index.json", "summary.json", "report.html"}


def test_a_run_says_first_what_it_does_and_last_where_the_report_is(finished: Path) -> None:
    said = (finished / "said.txt").read_text()
    assert "gridhall: simulating" in said
    assert "compiling" in said
    assert "report: one/report.html" in said


def test_a_run_conserves_gpu_time(finished: Path) -> None:
    summary = json.loads((finished / "one" / "summary.json").read_text())
    goodput, use = summary["goodput"], summary["use"]
    lost = sum(entry["value"] for entry in goodput["lost_gpu_h"].values())
    assert goodput["allocated_gpu_h"]["value"] == pytest.approx(goodput["useful_gpu_h"]["value"] + lost, rel=1e-4)
    assert use["allocated_gpu_h"]["value"] <= use["online_gpu_h"]["value"]
    told = sum(entry["value"] for row in summary["tenants"] for entry in row["gpu_h"].values())
    assert told == pytest.approx(goodput["allocated_gpu_h"]["value"], rel=1e-3)


def test_a_fictional_operator_has_a_margin(finished: Path) -> None:
    money = json.loads((finished / "one" / "summary.json").read_text())["money"]
    left = money["revenue"]["value"] - money["energy"]["value"] - money["capex_share"]["value"]
    assert money["revenue"]["value"] > 0
    assert money["margin"]["value"] == pytest.approx(left, rel=1e-3)
    assert money["operator"] == "Example Cloud"


def test_the_same_seed_decides_the_same_and_another_one_does_not(finished: Path) -> None:
    same = answer(gridhall(finished, "simulate", LAPTOP, *TWO_DAYS, "--json", "--out", "same"))
    other = answer(gridhall(finished, "simulate", LAPTOP, *TWO_DAYS, "--json", "--out", "other", "--seed", "2"))
    first = json.loads((finished / "one" / "summary.json").read_text())
    assert same["provenance"]["decision_digest"] == first["provenance"]["decision_digest"]
    assert same["headline"] == first["headline"]
    assert other["provenance"]["decision_digest"] != first["provenance"]["decision_digest"]

    compared = answer(gridhall(finished, "compare", "one", "other", "--json"))
    assert {"setting": "seed", "values": [1, 2]} in compared["settings"]
    by_name = {row["figure"]: row for row in compared["figures"]}
    assert by_name["gpus_announced"]["change"] == 0
    assert by_name["useful_gpu_h"]["values"][1] == other["headline"]["useful_gpu_h"]["value"]
    everything = answer(gridhall(finished, "compare", "one", "other", "--json", "--all"))
    assert len(everything["figures"]) > len(compared["figures"])


def test_until_ends_the_run_early(finished: Path) -> None:
    done = gridhall(finished, "simulate", LAPTOP, "--until", "2026-01-02", "--json", "--out", "short")
    assert answer(done)["period"]["days"] == 1


def test_a_free_name_is_taken_where_none_is_given(tmp_path: Path) -> None:
    for expected in ("laptop-seed1", "laptop-seed1-2"):
        done = gridhall(tmp_path, "simulate", LAPTOP, "--set", "days=1", "--set", "work.generator.load=0.1")
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "runs" / expected / "report.html").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("simulate", "none.yaml"), "none.yaml"),
        (("simulate", LAPTOP, "--set", "seeed=1"), "--set seeed=1"),
        (("simulate", LAPTOP, "--set", "fleet=none.yaml"), "none.yaml"),
        (("simulate", LAPTOP, "--set", "work.generator.profile=unknown"), "work.generator.profile"),
        (("simulate", LAPTOP, "--set", "policy=none.yaml"), "none.yaml"),
        (("simulate", LAPTOP, "--set", "money.gpu_hour_rates={other: 1}"), "money.gpu_hour_rates"),
        (("simulate", LAPTOP, "--set", "tenancy={organisations: [{name: nobody}]}"), "nobody"),
        (("simulate", LAPTOP, "--until", "2025-01-01"), "ends before it starts"),
        (("compare", "none", "none"), "summary.json"),
        (("sweep", LAPTOP, "--seeds", "8..1"), "--seeds"),
        (("sweep", LAPTOP, "--seeds", "1..20000"), "at most"),
        (("sweep", LAPTOP, "--set", "work.generator.load=0.5,x"), "work.generator.load"),
        (("fleet", "check", "none.yaml"), "none.yaml"),
        (("work", "describe", "no-such-profile"), "no-such-profile"),
        (("work", "describe", "none.txt", "--format", "pbs"), "pbs"),
        (("data", "get", "no-such-set"), "no-such-set"),
    ],
)
def test_bad_input_ends_with_code_2_and_leaves_nothing(
    tmp_path: Path, words: tuple[str | Path, ...], told: str
) -> None:
    done = gridhall(tmp_path, *words)
    assert done.returncode == 2, done.stderr
    assert told in done.stderr
    assert "->" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_exists_is_left_alone(finished: Path) -> None:
    before = (finished / "one" / "summary.json").read_bytes()
    done = gridhall(finished, "simulate", LAPTOP, "--out", "one")
    assert done.returncode == 2
    assert "exists already" in done.stderr
    assert (finished / "one" / "summary.json").read_bytes() == before


def test_a_run_that_is_told_to_stop_leaves_nothing(tmp_path: Path) -> None:
    environment = os.environ | {"GRIDHALL_COMPILE": "0"}
    command = [sys.executable, "-m", "gridhall.cli", "simulate", str(LAPTOP), "--set", "days=14", "--out", "run"]
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    while not list(tmp_path.iterdir()) and process.poll() is None:
        pass
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 143
    assert list(tmp_path.iterdir()) == []


def test_a_sweep_gives_what_single_runs_give(finished: Path) -> None:
    settings = ("--set", "days=1", "--set", "work.generator.load=0.3,0.6")
    swept = answer(gridhall(finished, "sweep", LAPTOP, "--seeds", "1..2", *settings, "--out", "swept", "--json"))
    names = [case["name"] for case in swept["cases"]]
    assert names == [f"days=1,load={load}_seed={seed}" for load in ("0.3", "0.6") for seed in (1, 2)]
    assert all((finished / "swept" / name / "report.html").exists() for name in names)
    single = ("--set", "days=1", "--set", "work.generator.load=0.6", "--seed", "2", "--out", "single", "--json")
    alone = answer(gridhall(finished, "simulate", LAPTOP, *single))
    assert swept["cases"][3]["decision_digest"] == alone["provenance"]["decision_digest"]
    group = swept["spread"][1]["figures"]["jobs_submitted"]
    each = [case["figures"]["jobs_submitted"]["value"] for case in swept["cases"][2:]]
    assert (group["low"]["value"], group["high"]["value"]) == (min(each), max(each))


def test_a_fleet_check_adds_up(tmp_path: Path) -> None:
    rollup = answer(gridhall(tmp_path, "fleet", "check", ROOT / "examples" / "laptop.yaml", "--json"))
    assert rollup["gpus"] == 12
    assert "12 GPUs" in gridhall(tmp_path, "fleet", "check", ROOT / "examples" / "laptop.yaml").stdout


def test_a_node_list_becomes_a_fleet_that_checks(tmp_path: Path) -> None:
    (tmp_path / "nodes.csv").write_text(
        "sn,cpu_milli,memory_mib,gpu,model\na,96000,393216,8,V100M32\nb,96000,393216,8,V100M32\n"
    )
    made = gridhall(tmp_path, "fleet", "import", "nodes-csv", "nodes.csv", "--out", "fleet.yaml", "--country", "GB")
    assert made.returncode == 0, made.stderr
    assert answer(gridhall(tmp_path, "fleet", "check", "fleet.yaml", "--json"))["gpus"] == 16


def test_a_slurm_cluster_becomes_a_fleet_with_its_models_mapped(tmp_path: Path) -> None:
    node = "NodeName={0} CPUTot=96 Gres=gpu:{1}:8(S:0-1) RealMemory=1031000 State=IDLE"
    lines = [node.format("a1", "tesla"), node.format("a2", "tesla"), node.format("b1", "hopper")]
    (tmp_path / "nodes.txt").write_text("\n".join(lines) + "\n")
    (tmp_path / "topology.conf").write_text("SwitchName=leaf Nodes=a[1-2],b1\n")
    asked = ("fleet", "import", "slurm", "nodes.txt", "--topology", "topology.conf", "--out", "fleet.yaml")
    maps = ("--map", "tesla=v100m32", "--map", "hopper=h100")
    made = gridhall(tmp_path, *asked, *maps)
    assert made.returncode == 0, made.stderr
    rollup = answer(gridhall(tmp_path, "fleet", "check", "fleet.yaml", "--json"))
    assert (rollup["gpus"], rollup["nodes"]) == (24, 3)
    assert "exists already" in gridhall(tmp_path, *asked, *maps).stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "tesla"),
        (("--map", "tesla"), "MODEL=TYPE"),
        (("--map", "tesla=no-such"), "no-such"),
        (("--topology", "none.conf", "--map", "tesla=v100m32"), "none.conf"),
    ],
)
def test_a_slurm_cluster_that_cannot_be_read_leaves_no_fleet(tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    (tmp_path / "nodes.txt").write_text("NodeName=a1 CPUTot=96 Gres=gpu:tesla:8 RealMemory=1031000 State=IDLE\n")
    made = gridhall(tmp_path, "fleet", "import", "slurm", "nodes.txt", "--out", "fleet.yaml", *words)
    assert made.returncode == 2
    assert told in made.stderr
    assert not (tmp_path / "fleet.yaml").exists()


def test_a_profile_is_described_and_written(tmp_path: Path) -> None:
    fleet = ROOT / "examples" / "laptop.yaml"
    asked = ("acme-seren", "--fleet", fleet, "--days", "3", "--load", "0.5")
    described = answer(gridhall(tmp_path, "work", "describe", *asked, "--json"))
    assert described["load"] == pytest.approx(0.5, abs=0.2)
    made = gridhall(tmp_path, "work", "generate", *asked, "--out", "jobs.parquet")
    assert made.returncode == 0, made.stderr
    assert f"wrote {described['jobs']:,} jobs" in made.stderr


def test_data_sets_are_listed_with_their_terms(tmp_path: Path) -> None:
    sets = answer(gridhall(tmp_path, "data", "list", "--json"))
    assert {"openb", "m100"} <= {entry["name"] for entry in sets}
    assert all(entry["licence"] and entry["attribution"] for entry in sets)


def test_a_run_under_a_load_target_tells_how_it_was_kept(tmp_path: Path) -> None:
    start, end = "2026-01-01T12:00:00Z", "2026-01-01T14:00:00Z"
    target = f"targets=[{{feed: desk/socket, start: {start}, end: {end}, limit_mw: 0.0004}}]"
    done = gridhall(tmp_path, "simulate", LAPTOP, "--set", "days=1", "--set", target, "--out", "one")
    assert done.returncode == 0, done.stderr
    assert f"desk/socket from {start} to {end} (simulated)" in done.stdout
    summary = json.loads((tmp_path / "one" / "summary.json").read_text())
    assert [entry["feed"] for entry in summary["targets"]] == ["desk/socket"]
    assert "Load targets" in (tmp_path / "one" / "report.html").read_text()


def test_a_load_target_for_a_feed_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    target = "targets=[{feed: attic/socket, start: 2026-01-02, end: 2026-01-03, limit_mw: 0.0004}]"
    done = gridhall(tmp_path, "simulate", LAPTOP, "--set", target, "--out", "one")
    assert done.returncode == 2
    assert "targets[0].feed: 'attic/socket' is no feed of this fleet" in done.stderr
    assert "cabin/socket, desk/socket" in done.stderr
    assert not (tmp_path / "one").exists()
