"""What the engine asks for and what it concludes, without a cluster."""

import ast
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from gridhall.engines.protocol import AttemptKey, Place, StaleEpoch, StartOrder
from gridhall.engines.slurm import SlurmSettings, script, verdict
from gridhall.engines.slurm.answers import Job, Node, NodeState, node_state
from gridhall.engines.slurm.folder import Folder
from gridhall.engines.slurm.records import Begun, Ending, Stop
from gridhall.engines.slurm.submission import Impossible, attempt_name, check, read_name, runner_order, submission
from gridhall.engines.slurm.verdict import Facts

SITE = SlurmSettings(
    site="lon", rest_url="http://127.0.0.1:1", shared_folder="/shared", user="jobs", partition="gpu", nodes={"a": "n1"}
)
ORDER = StartOrder(
    *(AttemptKey(7, 2), 5, "name", "org", "project", "user", ("true",)),
    (Place("lon", "b", (0, 1)), Place("lon", "a", (0, 1))),
    limit_ms=90_000,
    cpu_milli=2500,
)
STOP = Stop(time_ms=5_000, grace_ms=1_000)
TELL = (
    sys.executable,
    "-S",
    "-E",
    "-c",
    "import os, sys; print([os.fsencode(word) for word in sys.argv[1:]], ',', dict(os.environb))",
)
OURS = re.compile("[A-Z_]+")
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


def job(state: str, **fields: object) -> Job:
    return Job.model_validate({"job_id": 1, "name": "x", "job_state": state, "start_time": 1, "end_time": 9, **fields})


def ending(code: int, time_ms: int = 6_000) -> Ending:
    return Ending(time_ms=time_ms, began_ms=2_000, ran_ms=4_000, exit_code=code, timed_out=False)


def test_a_job_is_pinned_to_its_nodes_and_never_requeued() -> None:
    asked = submission(ORDER, SITE, "/shared/jobs/7/2", "#!/bin/sh\n")["job"]
    assert isinstance(asked, dict)
    assert (asked["nodelist"], asked["nodes"], asked["gpus_per_node"]) == ("b,n1", 2, "2")
    assert (asked["no_requeue"], asked["minimum_cpus_per_node"], asked["time_limit"]) == (True, 3, 3)
    assert runner_order(ORDER, SITE, {"b": "10.0.0.2"}).master == "10.0.0.2"


@pytest.mark.parametrize(
    ("order", "why"),
    [
        (replace(ORDER, places=()), "at least one node"),
        (replace(ORDER, places=ORDER.places[:1] * 2), "each node once"),
        (replace(ORDER, places=(Place("osl", "a", (0,)),)), "not at lon"),
        (replace(ORDER, places=(Place("lon", "a", (0,), 500),)), "whole GPUs"),
        (replace(ORDER, places=(Place("lon", "a", (0,)), Place("lon", "b", (0, 1)))), "same number of GPUs"),
        (replace(ORDER, command=()), "no command"),
        (replace(ORDER, command=("a\0b",)), "NUL"),
        (replace(ORDER, command=("a=b",)), "program's name"),
        (replace(ORDER, environment={"A=B": ""}), "no name, or one with '='"),
    ],
)
def test_what_slurm_could_not_run_is_refused(order: StartOrder, why: str) -> None:
    check(ORDER, SITE)
    with pytest.raises(Impossible, match=why):
        check(order, SITE)


@pytest.mark.parametrize("folder", ["relative", "/with%j", "/with\nbreak"])
def test_folders_that_slurm_would_expand_are_refused(folder: str) -> None:
    with pytest.raises(ValidationError, match="absolute path without"):
        SlurmSettings.model_validate(SITE.model_dump() | {"shared_folder": folder})


@given(st.integers(0, 10**17), st.integers(0, 10**8), st.integers(0, 10**17))
def test_names_are_read_back(number: int, attempt: int, epoch: int) -> None:
    key = AttemptKey(number, attempt)
    assert read_name(attempt_name(key, epoch)) == (key, epoch)
    assert read_name("other-" + attempt_name(key, epoch)) is None


@settings(max_examples=25, deadline=None)
@given(st.lists(texts, max_size=4), st.dictionaries(texts.filter(lambda name: name and "=" not in name), texts))
def test_every_word_reaches_the_rank_as_it_is(
    tmp_path_factory: pytest.TempPathFactory, words: Sequence[str], environment: dict[str, str]
) -> None:
    folder = tmp_path_factory.mktemp("job") / "it's $(1) & a `test`" / "1"
    (folder.parent / "work").mkdir(parents=True)
    folder.mkdir()
    order = runner_order(
        replace(ORDER, places=ORDER.places[:1], command=(*TELL, *words), environment=environment), SITE, {}
    )
    (folder / "ranks.sh").write_text(script.ranks(order, str(folder), str(folder / "news"), "cat >&2; true"))
    ran = {"PATH": os.environ["PATH"], "SLURMD_NODENAME": "b", "MASTER_PORT": "1"}
    subprocess.run(["sh", str(folder / "ranks.sh")], env=ran, check=True, timeout=20, capture_output=True)
    heard, found = ast.literal_eval((folder / "rank-0.log").read_text())
    assert [os.fsdecode(word) for word in heard] == list(words)
    wanted = {name.encode(): text.encode() for name, text in environment.items() if not OURS.fullmatch(name)}
    assert {name: found[name] for name in wanted} == wanted
    assert found[b"GRIDHALL_NODE"] == b"b"


def test_the_batch_script_is_claimed_once(tmp_path: Path) -> None:
    (tmp_path / "ranks.sh").write_text("echo $SLURM_JOB_ID runs on $MASTER_PORT\n")
    text = script.start(runner_order(replace(ORDER, places=ORDER.places[:1]), SITE, {}), str(tmp_path), "false")
    said = [
        subprocess.run(
            ["sh", "-c", text], env={"PATH": os.environ["PATH"], "SLURM_JOB_ID": number}, capture_output=True, text=True
        ).stdout
        for number in ("11", "12")
    ]
    assert said[0].startswith("11 runs on ")
    assert said[1] == ""
    assert shlex.quote(str(tmp_path)) in text


@pytest.mark.parametrize(
    ("facts", "kind", "code"),
    [
        (Facts(ending=ending(0)), "ended", 0),
        (Facts(ending=ending(3), job=job("FAILED", exit_code=768)), "ended", 3),
        (Facts(ending=ending(1), job=job("NODE_FAIL")), "lost", 0),
        (Facts(ending=ending(-15), job=job("CANCELLED")), "lost", 0),
        (Facts(ending=ending(-15), job=job("CANCELLED"), stop=STOP), "stopped", 0),
        (Facts(ending=ending(0), stop=STOP), "stopped", 0),
        (Facts(ending=ending(0, time_ms=4_000), stop=STOP), "ended", 0),
        (Facts(ending=ending(9), absences=2), "ended", 9),
        (Facts(job=job("FAILED", exit_code=9)), "ended", -9),
        (Facts(job=job("OUT_OF_MEMORY")), "ended", 1),
        (Facts(job=job("TIMEOUT")), "ended", 1),
        (Facts(job=job("PREEMPTED")), "lost", 0),
        (Facts(job=job("CANCELLED"), stop=STOP), "stopped", 0),
        (Facts(absences=2), "lost", 0),
        (Facts(absences=2, stop=STOP), "stopped", 0),
    ],
)
def test_how_an_attempt_ended(facts: Facts, kind: str, code: int) -> None:
    assert verdict.is_over(facts)
    over = verdict.over(facts, 10_000, 77)
    assert (over.kind, over.exit_code) == (kind, code)
    assert over.saved_ms == (77 if kind != "ended" else 0)


@pytest.mark.parametrize(
    "facts",
    [
        Facts(),
        Facts(absences=1),
        Facts(begun=Begun(time_ms=1)),
        Facts(ending=ending(3)),
        Facts(ending=ending(3), job=job("COMPLETING")),
        Facts(job=job("RUNNING"), stop=STOP),
    ],
)
def test_what_is_not_certain_is_not_an_end(facts: Facts) -> None:
    assert not verdict.is_over(facts)


def test_slurms_word_on_a_start_is_taken_only_when_no_better_comes() -> None:
    facts = Facts(job=job("RUNNING", start_time=100))
    assert verdict.started_ms(facts, 101_000) is None
    assert verdict.started_ms(facts, 103_000) == 100_000
    assert verdict.started_ms(replace(facts, begun=Begun(time_ms=100_500)), 101_000) == 100_500


def test_what_does_not_stop_is_killed_and_what_waits_is_cancelled() -> None:
    running, waiting = job("RUNNING"), job("PENDING")
    assert verdict.must_be_killed(Facts(job=waiting, stop=STOP), 0, 5_001)
    assert not verdict.must_be_killed(Facts(job=running, stop=STOP), 0, 8_999)
    assert verdict.must_be_killed(Facts(job=running, stop=STOP), 0, 9_000)
    assert not verdict.must_be_killed(Facts(job=running, stop=STOP), 8_000, 9_000)
    assert not verdict.must_be_killed(Facts(job=running), 0, 10**9)


def test_of_two_jobs_the_one_that_claimed_is_true() -> None:
    first, second = job("RUNNING"), job("RUNNING", job_id=2)
    waiting = [job("PENDING", job_id=2), job("PENDING")]
    assert verdict.true_job([first, second], 2) is second
    assert verdict.true_job([first, second], 0) is None
    assert verdict.true_job([first], 3) is None
    assert verdict.true_job(waiting, 0) is waiting[1]


@pytest.mark.parametrize(
    ("state", "flags", "expected"),
    [
        ("idle", [], NodeState(True, True)),
        ("mixed", [], NodeState(True, True)),
        ("allocated", ["COMPLETING"], NodeState(True, True)),
        ("idle", ["DRAIN"], NodeState(False, False, "why")),
        ("mixed", ["DRAIN"], NodeState(True, False, "why")),
        ("idle", ["NOT_RESPONDING"], NodeState(False, False, "why", silent=True)),
        ("allocated", ["NOT_RESPONDING"], NodeState(True, False, "why", silent=True)),
        ("allocated", ["NOT_RESPONDING", "DRAIN"], NodeState(True, False, "why")),
        ("unknown", [], NodeState(False, False, "why", silent=True)),
        ("down", ["NOT_RESPONDING"], NodeState(False, False, "why")),
        ("idle", ["POWERED_DOWN"], NodeState(False, False, "why")),
    ],
)
def test_what_slurms_node_states_mean(state: str, flags: list[str], expected: NodeState) -> None:
    reason = "" if expected.takes_work else "why"
    assert node_state(Node(name="n", state=state, state_flags=flags, reason=reason)) == expected


def test_a_saved_checkpoint_counts_from_the_start() -> None:
    assert verdict.saved(500, 1_000, 9_000, 4_000) == 3_500
    assert verdict.saved(500, 1_000, 9_000, 99_000) == 8_500
    assert verdict.saved(500, 1_000, 9_000, 0) == 500
    assert verdict.saved(500, None, 9_000, 4_000) == 500


def test_the_highest_epoch_is_remembered_by_the_folder(tmp_path: Path) -> None:
    one, other = Folder(str(tmp_path), "root"), Folder(str(tmp_path), "root")
    one.see_epoch(3)
    other.see_epoch(3)
    other.see_epoch(5)
    with pytest.raises(StaleEpoch, match="5 leads"):
        one.see_epoch(4)
