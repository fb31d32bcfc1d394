"""The fleets that ship: their totals, their build-out, and that they say what they rest on."""

from datetime import date
from pathlib import Path

import pytest

from gridhall.fleet import Rollup, check_fleet, dump_fleet, load_fleet
from gridhall.units import utc_ms

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
FILES = sorted(path for path in EXAMPLES.glob("*.yaml") if "schema: fleet/v1" in path.read_text(encoding="utf-8"))
FROM_THE_PRESS = ("uk-announced", "uk-2026", "europe", "frontier")


def rollup(name: str) -> Rollup:
    return check_fleet(load_fleet(EXAMPLES / f"{name}.yaml"))


def online(answer: Rollup, day: date) -> int:
    return [step.online_gpus for step in answer.timeline if step.time_ms <= utc_ms(day)][-1]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_example_loads_and_survives_being_written_out_and_read_again(path: Path, tmp_path: Path) -> None:
    fleet = load_fleet(path)
    dump_fleet(fleet, tmp_path / "again.yaml", comment="again")
    assert load_fleet(tmp_path / "again.yaml") == fleet


@pytest.mark.parametrize("name", FROM_THE_PRESS)
def test_real_companies_fleets_say_that_nobody_endorses_them(name: str) -> None:
    text = (EXAMPLES / f"{name}.yaml").read_text(encoding="utf-8").lower()
    head = text.partition("schema:")[0]
    assert "endorsed by nobody" in head
    assert "press" in head or "papers" in head
    assert "kind: assumed" in text


def test_the_announced_uk_fleet_is_58_640_gpus_by_place() -> None:
    answer = rollup("uk-announced")
    assert answer.gpus == 58_640
    assert {site.site: site.gpus for site in answer.sites} == {
        "lepton-uk": 4_600,
        "stargate-uk": 31_000,
        "loughton": 23_040,
    }
    assert answer.gpus_by_kind == {"target": 35_640, "up-to": 23_000}


def test_the_announced_uk_fleet_is_a_build_out_through_2026() -> None:
    answer = rollup("uk-announced")
    assert online(answer, date(2026, 1, 1)) == 2_304
    assert online(answer, date(2026, 3, 31)) == 8_000 + 2_304
    assert online(answer, date(2026, 12, 31)) == 47_160
    assert online(answer, date(2027, 12, 31)) == 58_640
    assert answer.gpus_without_capex == 0


def test_what_was_paused_in_2026_never_comes_on_line() -> None:
    answer = rollup("uk-2026")
    assert answer.gpus_by_status["paused"] == 31_000
    assert answer.peak_gpus == answer.gpus - 31_000
    assert online(answer, date(2026, 12, 31)) == 4_600


def test_europe_has_norway_and_portugal() -> None:
    answer = rollup("europe")
    assert answer.gpus_by_country["NO"] == 4_096 + 82_000
    assert answer.gpus_by_country["PT"] == 12_600 + 66_000
    assert any("sines/sin02 carries 99 %" in warning for warning in answer.warnings)


def test_frontier_has_its_published_size_and_peak() -> None:
    answer = rollup("frontier")
    assert (answer.nodes, answer.gpus) == (9_472, 37_888)
    assert answer.peak_it_w == pytest.approx(28.2279e6 - 25 * 8_473.47, rel=1e-3)  # system less its 25 CDUs
