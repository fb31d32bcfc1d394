"""The second half of the live tutorial on two real Slurm clusters, and what it cannot show: a node that dies."""

import json
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from gridhall.cli.run import read_request
from gridhall.client import Client
from gridhall.energy.targets import LoadTarget
from gridhall.energy.targets.models import moment
from gridhall.money.rates import load_rates
from gridhall.server.config import load_config
from gridhall.server.objects.feed import Feed
from tests.docs.blocks import ROOT
from tests.e2e.test_laptop import until
from tests.e2e.tutorial import Reader, part
from tests.e2e.up import Up
from tests.slurm.cluster import Cluster, missing
from tests.slurm.two_sites import two_sites, write_server_file

TRAIN = ROOT / "examples/jobs/train.yaml"
FLEET = ROOT / "examples/two-sites.yaml"


@pytest.fixture(scope="module")
def clusters() -> Iterator[Sequence[Cluster]]:
    if why := missing():
        pytest.skip(why)
    with two_sites() as both:
        yield both


@pytest.fixture
def up(tmp_path: Path, clusters: Sequence[Cluster]) -> Iterator[Up]:
    write_server_file(tmp_path / "server.yaml", clusters)
    with Up(tmp_path / "home", (str(FLEET), "--config", str(tmp_path / "server.yaml"))) as up:
        yield up


def test_the_two_site_part_of_the_tutorial_holds(tmp_path: Path, clusters: Sequence[Cluster]) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    blocks = part("sites")
    assert len(blocks) > 8
    with ExitStack() as servers:
        reader = Reader(tmp_path, servers, clusters)
        for block in blocks:
            reader.follow(block)
        reader.end()
        for block in part("after"):
            reader.follow(block)


def test_a_node_dies_under_a_gang_which_goes_on_elsewhere_from_its_checkpoint(
    up: Up, clusters: Sequence[Cluster]
) -> None:
    london, began_s = clusters[0], time.time()
    with up.client() as client:
        request = read_request(TRAIN, spec={"resources": {"gpus": 16}, "environment": {"STEPS": "60"}})
        job = client.jobs.submit(request.model_copy(update={"spec": _at(request.spec, "lon")}))
        id = job.metadata.id
        until(lambda: _steps(london, began_s) > 5, 30)
        first = [place.node for place in client.jobs.get(id).status.places]
        london.kill_node(first[-1])
        try:
            done = client.jobs.wait(id, 90)
        finally:
            london.start_node(first[-1])
        assert (done.status.state, done.status.attempt) == ("completed", 2)
        said = b"".join(client.jobs.log(id)).decode()
        assert "step 60: weight 50.500" in said
        assert "from step 0" not in said
        second = [place["node"] for place in _attempts(client, id)[1]["places"]]
        assert first[-1] not in second
        facts = [
            (each["name"], each["value"]) for attempt in client.jobs.where(id)["attempts"] for each in attempt["facts"]
        ]
        assert facts.count(("site", "lon")) == 2
        assert {value.split()[0] for name, value in facts if name == "node"} == {*first, *second}
        _books_match(client, id)
    assert "PASS" in up.gridhall("ledger", "verify")


def test_a_load_target_suspends_a_slurm_job_which_goes_on_afterwards(up: Up, clusters: Sequence[Cluster]) -> None:
    london, began_s = clusters[0], time.time()
    with up.client() as client:
        request = read_request(TRAIN, spec={"resources": {"gpus": 8}, "environment": {"STEPS": "2000"}, "tier": 4})
        id = client.jobs.submit(request.model_copy(update={"spec": _at(request.spec, "lon")})).metadata.id
        until(lambda: _steps(london, began_s) > 2, 30)
        feed = next(each for each in client.targets.feeds() if each.spec.site == "lon")
        assert feed.status.flexible_w > 0
        client.targets.set(_target(feed, {"value": feed.status.minimum_w, "unit": "W"}))
        until(lambda: client.jobs.get(id).status.state == "paused", 30)
        assert client.targets.feed(feed.metadata.id).status.paused_w == feed.status.flexible_w
        stood = _steps(london, began_s)
        time.sleep(2.0)
        assert _steps(london, began_s) == stood
        client.targets.set(_target(feed, None))
        until(lambda: client.jobs.get(id).status.state == "running", 120)
        until(lambda: _steps(london, began_s) > stood, 30)
        client.jobs.cancel(id)
        client.jobs.wait(id, 60)


def _target(feed: Feed, constraint: dict[str, Any] | None) -> LoadTarget:
    interval = {"start_time": moment(feed.status.time_ms)}
    body = {"interval": interval, "load_constraint": constraint, "feed_tags": (feed.metadata.id,)}
    return LoadTarget.model_validate(body)


def _at(spec: Any, site: str) -> Any:
    return spec.model_copy(update={"places": spec.places.model_copy(update={"sites": (site,)})})


def _attempts(client: Client, id: str) -> list[dict[str, Any]]:
    return list(client.items(f"/v1/jobs/{id}/attempts"))


def _steps(cluster: Cluster, since_s: float) -> int:
    """How far the furthest checkpoint is of those that were written since then."""
    files = [file for file in cluster.shared.glob("*/jobs/*/checkpoints/state.json") if file.stat().st_mtime > since_s]
    return max((json.loads(file.read_text())["step"] for file in files), default=0)


def _books_match(client: Client, id: str) -> None:
    """The usage of a job is its GPUs times the time they were its own, and the charges are that at the rates."""
    held_ms = sum(each["ended_ms"] - each["decided_ms"] for each in _attempts(client, id))
    intervals = list(client.items("/v1/usage/intervals"))
    assert sum(each["gpu_milli_ms"] for each in intervals) == 16 * 1000 * held_ms
    charges = list(client.items("/v1/charges"))
    assert sum(each["gpu_milli_ms"] for each in charges) == 16 * 1000 * held_ms
    totals = client.get("/v1/charges/totals")
    assert sum(each["amount_micro"] for each in totals["items"]) == sum(each["amount_micro"] for each in charges) > 0
    assert totals["book"] == load_rates(ROOT / "examples/rates.yaml").hash


def test_the_example_server_file_is_one_for_the_example_fleet() -> None:
    from gridhall.fleet.load import load_fleet

    config = load_config(ROOT / "examples/server.yaml", load_fleet(FLEET))
    assert {engine.site for engine in config.engines.values()} == {"lon", "osl"}
    assert config.rates == ROOT / "examples/rates.yaml"
