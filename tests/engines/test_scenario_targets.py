"""Load targets of a scenario file: named feeds and megawatts at the meter become what the twin runs, or are refused."""

from dataclasses import replace
from pathlib import Path

import pytest

from gridhall.engines.twin.assemble import prepare, to_plan
from gridhall.engines.twin.load_targets import resolve_targets
from gridhall.engines.twin.scenario_file import load_scenario, parse_overrides
from gridhall.errors import Fault, InputError
from gridhall.fleet.synthetic import uniform_fleet
from gridhall.units import HOUR_MS, utc_ms
from gridhall.work.table import TIERS
from tests.engines.small import Ints

EXAMPLE = Path(__file__).parents[2] / "examples/scenarios/grid-event.yaml"
FLEET = uniform_fleet(1_152, shares=(60, 40), hardware="h100", nodes_per_rack=4)
FEEDS = [FLEET.power_names[node] for node in sorted(set(FLEET.rack_feed.tolist()))]
HEAD = """\
title: A day
fleet: fleet.yaml
start: 2026-06-01
days: 1
work:
  generator: {profile: training-cloud, load: 0.8}
targets:
"""


def row(feed: str = FEEDS[0], start: str = "06", end: str = "09", limit_mw: str = "0.3") -> str:
    moments = (f"2026-06-01T{hour}:00:00Z" if len(hour) == 2 else hour for hour in (start, end))
    return "  - {{feed: {}, start: {}, end: {}, limit_mw: {}}}\n".format(feed, *moments, limit_mw)


def faults_of(tmp_path: Path, rows: str) -> list[Fault]:
    path = tmp_path / "scenario.yaml"
    path.write_text(HEAD + rows)
    with pytest.raises(InputError) as raised:
        resolve_targets(load_scenario(path), FLEET)
    return raised.value.faults


def test_megawatts_at_the_meter_become_it_watts_in_the_order_of_time(tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text(HEAD + row(start="12", end="13") + row(FEEDS[1]) + row())
    fleet = replace(FLEET, site_pue_milli=FLEET.site_pue_milli * 0 + 1_250)
    first, second, third = resolve_targets(load_scenario(path), fleet)
    assert first.limit_w == 240_000
    assert {fleet.power_names[each.power] for each in (first, second)} == set(FEEDS)
    assert third.from_ms - first.from_ms == 6 * HOUR_MS
    assert first.until_ms - first.from_ms == 3 * HOUR_MS


def test_one_may_begin_when_another_ends(tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text(HEAD + row() + row(start="09", end="2026-06-02"))
    assert len(resolve_targets(load_scenario(path), FLEET)) == 2


@pytest.mark.parametrize(
    ("rows", "field", "said", "mend"),
    [
        (row("narvik/feed"), "targets[0].feed", "'narvik/feed'", FEEDS[1]),
        (row(limit_mw="5000"), "targets[0].limit_mw", "5000 MW", "lower"),
        (row(start="09", end="09"), "targets[0].end", "2026-06-01T09:00:00Z", "later"),
        (row(start="2026-05-31"), "targets[0].start", "2026-05-31T00:00:00Z", "2026-06-02T00:00:00Z"),
        (row(end="2026-06-03"), "targets[0].end", "2026-06-03T00:00:00Z", "2026-06-02T00:00:00Z"),
        (row() + row(start="08", end="10"), "targets[1].start", "targets[0]", "before the next"),
        (row(start="08", end="10") + row(), "targets[0].start", "targets[1]", "before the next"),
    ],
)
def test_what_cannot_be_is_refused_with_field_value_and_mend(
    tmp_path: Path, rows: str, field: str, said: str, mend: str
) -> None:
    (fault,) = faults_of(tmp_path, rows)
    assert fault.where.endswith("scenario.yaml")
    assert fault.field == field
    assert said in fault.problem
    assert mend in fault.mend


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    faults = faults_of(tmp_path, row("x/feed", end="2026-06-03") + row(limit_mw="9000"))
    assert [fault.field for fault in faults] == ["targets[0].end", "targets[0].feed", "targets[1].limit_mw"]


def test_two_feeds_may_have_targets_at_one_time_and_a_limit_below_zero_is_none(tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text(HEAD + row() + row(FEEDS[1]))
    assert len(resolve_targets(load_scenario(path), FLEET)) == 2
    with pytest.raises(InputError, match="limit_mw"):
        load_scenario(path, {"targets.0.limit_mw": "-1"})


def test_the_example_gives_the_twin_its_targets_and_its_mix_of_tiers() -> None:
    prepared = prepare(load_scenario(EXAMPLE))
    first, second = to_plan(prepared).targets
    assert prepared.index.targets == (first, second)
    assert prepared.fleet.power_names[first.power] == "loughton/feed"
    assert first.limit_w == 24_700_000 * 1000 // 1_070
    assert second.from_ms == utc_ms(prepared.scenario.targets[1].start)
    tiers = count_tiers(next(iter(prepared.workload.chunks())).tier)
    assert tiers[TIERS.index("movable")] == 0
    assert tiers[TIERS.index("slow50")] == pytest.approx(0.25, abs=0.01)


def count_tiers(tier: Ints) -> list[float]:
    return [float((tier == number).mean()) for number in range(len(TIERS))]


def test_shares_of_tiers_add_up_to_one(tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text(HEAD.replace("targets:\n", ""))
    with pytest.raises(InputError, match=r"work\.generator\.tiers.*add up to 0\.9"):
        load_scenario(path, parse_overrides(["work.generator.tiers={rigid: 0.4, slow50: 0.5}"]))
    with pytest.raises(InputError, match="slow99"):
        load_scenario(path, parse_overrides(["work.generator.tiers={slow99: 1}"]))
