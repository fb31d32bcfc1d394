"""A scenario file says what it means, and a faulty one says what is wrong and how to mend it."""

from pathlib import Path

import pytest

from gridhall.engines.twin.scenario_file import load_scenario, parse_overrides
from gridhall.errors import Fault, InputError

GOOD = """\
title: A week
fleet: fleet.yaml
start: 2026-06-01
days: 7
work:
  generator: {profile: acme-seren, load: 0.8}
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "scenario.yaml"
    path.write_text(text)
    return path


def faults_of(tmp_path: Path, text: str, *settings: str) -> list[Fault]:
    with pytest.raises(InputError) as raised:
        load_scenario(written(tmp_path, text), parse_overrides(list(settings)))
    return raised.value.faults


def test_a_short_scenario_has_sound_defaults(tmp_path: Path) -> None:
    scenario = load_scenario(written(tmp_path, GOOD)).scenario
    assert scenario.end_ms - scenario.start_ms == 7 * 86_400_000
    assert scenario.seed == 1
    assert scenario.failures.rate_per_1000_node_days > 0
    assert "RSC-2" in scenario.failures.source


def test_an_unknown_field_is_named_with_its_line_and_the_likely_word(tmp_path: Path) -> None:
    (fault,) = faults_of(tmp_path, GOOD + "seeed: 3\n")
    assert fault.where.endswith("scenario.yaml:7")
    assert fault.field == "seeed"
    assert "seed" in fault.mend


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("load: 0.8", "load: -1").replace("days: 7", "days: 0")
    assert {fault.field for fault in faults_of(tmp_path, text)} == {"days", "work.generator.load"}


def test_a_wrong_field_of_a_series_is_found_at_its_own_line(tmp_path: Path) -> None:
    text = GOOD + "price:\n  default:\n    kind: constant\n    value: .nan\n"
    (fault,) = faults_of(tmp_path, text)
    assert fault.field == "price.default.value"
    assert fault.where.endswith(":10")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ("work: {}", "work"),
        ("work: {generator: {profile: a}, trace: {format: swf, path: b}}", "work"),
        ("work: {trace: {format: pbs, path: b}}", "work.trace.format"),
        ("work: {generator: {profile: a}}\nend: 2026-07-01", ""),
        ("work: {generator: {profile: a}}\nmoney: {gpu_hour_rates: {H100: 2}}", "money"),
        ("work: {generator: {profile: a}}\nmoney: {gpu_hour_rates: {H100: -2}}", "money.gpu_hour_rates.H100"),
        ("work: {generator: {profile: a}}\nprice: {default: {kind: guess}}", "price.default"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, change: str, field: str) -> None:
    text = GOOD[: GOOD.index("work:")] + change + "\n"
    assert [fault.field for fault in faults_of(tmp_path, text)] == [field]


def test_a_value_is_laid_over_the_file_by_its_dotted_name(tmp_path: Path) -> None:
    settings = parse_overrides(["work.generator.load=0.95", "failures.repair_sigma=0", "seed=9"])
    loaded = load_scenario(written(tmp_path, GOOD), settings)
    assert loaded.scenario.work.generator is not None
    assert loaded.scenario.work.generator.load == 0.95
    assert loaded.scenario.failures.repair_sigma == 0
    assert loaded.scenario.seed == 9


def test_an_end_laid_over_the_file_replaces_its_days(tmp_path: Path) -> None:
    scenario = load_scenario(written(tmp_path, GOOD), {"end": "2026-06-03"}).scenario
    assert scenario.end_ms - scenario.start_ms == 2 * 86_400_000


@pytest.mark.parametrize(
    ("setting", "where"),
    [
        ("work.generator.load=much", "--set work.generator.load=much"),
        ("work.generator.lod=1", "--set work.generator.lod=1"),
        ("title.x=1", "--set title.x=1"),
        ("seed", "--set seed"),
    ],
)
def test_a_fault_laid_over_the_file_is_blamed_on_the_setting(tmp_path: Path, setting: str, where: str) -> None:
    assert [fault.where for fault in faults_of(tmp_path, GOOD, setting)] == [where]


def test_an_empty_file_is_no_scenario(tmp_path: Path) -> None:
    assert "empty" in faults_of(tmp_path, "")[0].problem


def test_a_list_is_no_scenario(tmp_path: Path) -> None:
    assert "mapping" in faults_of(tmp_path, "- title\n")[0].problem
