"""Every fault of a fleet file is told at once, with file, line, field and mend."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridhall.errors import Fault, InputError
from gridhall.fleet import compile_fleet, load_fleet

GOOD = """\
schema: fleet/v1
sources: {deal: "grid agreement of 2026-01-05"}
sites:
- id: north
  country: NO
  operator: us
  grid:
    feeds:
    - {tag: f1, limit_mw: {value: 2, kind: committed, source: deal}, min_mw: 0, default_mw: 1}
  power:
    domains: [{code: A}]
    nodes:
    - {id: tx, kind: transformer, parent: f1, usable_kw: 900, domain: A}
    - {id: pdu, kind: pdu, count: 2, parent: tx, usable_kw: 400, derating: 0.9}
  cooling:
    rejectors: [{id: dry, kind: dry_cooler, nominal_kw: 500}]
    loops: [{id: fws, setpoint_c: 36, reject: [dry]}]
    cdus: [{id: cdu, loop: fws, capacity_kw: 300}]
  halls:
  - id: h1
    rack_groups:
    - prefix: a
      count: 4
      type: h100
      feeds: [pdu]
      cdu: cdu
      ready_from: 2026-03-01
      ready_to: 2030-03-01
    - {prefix: b, count: 1, type: gb300-nvl72, feeds: [tx]}
"""


def faults_of(folder: Path, text: str) -> list[Fault]:
    path = folder / "fleet.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_fleet(path)
    return caught.value.faults


def test_the_good_file_is_good(tmp_path: Path) -> None:
    path = tmp_path / "fleet.yaml"
    path.write_text(GOOD, encoding="utf-8")
    fleet = load_fleet(path)
    assert fleet.sites[0].country == "NO"
    assert compile_fleet(fleet).gpus == 4 * 4 * 8 + 72


FEED, NODES, GROUP = "sites[0].grid.feeds[0]", "sites[0].power.nodes", "sites[0].halls[0].rack_groups"

ONE_FAULT = [
    # what is written, instead of what, line, field, word of the problem, word of the mend
    ("default_wm: 1", "default_mw: 1", 9, f"{FEED}.default_wm", "not a known field", "did you mean `default_mw`?"),
    ("value: -2", "value: 2", 9, f"{FEED}.limit_mw", "-2 is not a number from 0", "a number from 0"),
    ("value: .nan", "value: 2", 9, f"{FEED}.limit_mw.value", "finite", "finite number"),
    ("value: .inf", "value: 2", 9, f"{FEED}.limit_mw.value", "finite", "finite number"),
    ("value: 2 MW", "value: 2", 9, f"{FEED}.limit_mw.value", "not a number", "bare number"),
    ("kind: sure", "kind: committed", 9, f"{FEED}.limit_mw.kind", "'sure' is not a known word", "committed"),
    ("source: dael", "source: deal", 9, f"{FEED}.limit_mw.source", "no source is called 'dael'", "'deal'"),
    ("default_mw: 3", "default_mw: 1", 9, f"{FEED}.default_mw", "3, more than 2", "default_mw <= limit_mw"),
    ("min_mw: 1.5", "min_mw: 0", 9, f"{FEED}.min_mw", "1.5, more than 1", "min_mw <= default_mw"),
    ("country: Norway", "country: NO", 5, "sites[0].country", "not of the right form", "[A-Z]{2}"),
    ("parent: pdu", "parent: f1", 13, f"{NODES}[0].parent", "cycle: tx -> pdu -> tx", "hang from a feed (f1)"),
    ("parent: tx2", "parent: tx", 14, f"{NODES}[1].parent", "no feed or power node is called 'tx2'", "'tx'"),
    (
        "0.9}\n    - {id: pdu-2, kind: ups, parent: tx, usable_kw: 1}",
        "0.9}",
        15,
        f"{NODES}[2].id",
        "'pdu-2' already",
        "another id",
    ),
    ("domain: B", "domain: A", 13, f"{NODES}[0].domain", "no power domain is called 'B'", "one of: A"),
    ("kind: transfomer", "kind: transformer", 13, f"{NODES}[0].kind", "'transfomer'", "'transformer'"),
    ("derating: 1.1", "derating: 0.9", 14, f"{NODES}[1].derating", "share between 0 and 1", "share"),
    ("usable_kw: -1", "usable_kw: 900", 13, f"{NODES}[0].usable_kw", "-1 is not", "a number from 0"),
    ("reject: [wet]", "reject: [dry]", 17, "sites[0].cooling.loops[0].reject[0]", "called 'wet'", "one of: dry"),
    ("loop: fsw", "loop: fws", 18, "sites[0].cooling.cdus[0].loop", "called 'fsw'", "'fws'"),
    ("count: 2.5", "count: 4", 23, f"{GROUP}[0].count", "2.5 is not a whole number", "whole number"),
    ("count: 0", "count: 4", 23, f"{GROUP}[0].count", "0 is not a whole number from 1 to 100,000", "whole number"),
    ("count: 999999", "count: 4", 23, f"{GROUP}[0].count", "is not a whole number from 1 to", "100,000"),
    ("type: h1000", "type: h100", 24, f"{GROUP}[0].type", "no hardware type is called 'h1000'", "'h100'"),
    ("feeds: []", "feeds: [pdu]", 25, f"{GROUP}[0].feeds", "no feed", "add feeds"),
    ("feeds: [pdu, pud]", "feeds: [pdu]", 25, f"{GROUP}[0].feeds[1]", "called 'pud'", "'pdu'"),
    ("feeds: [tx-1]", "feeds: [pdu]", 25, f"{GROUP}[0].feeds[0]", "called 'tx-1'", "'tx'"),
    ("feeds: [pdu-3]", "feeds: [pdu]", 25, f"{GROUP}[0].feeds[0]", "called 'pdu-3'", "'pdu-2'"),
    ("cdu: cud", "cdu: cdu", 26, f"{GROUP}[0].cdu", "called 'cud'", "'cdu'"),
    ("2026-02-30", "2026-03-01", 27, f"{GROUP}[0].ready_from", "not a date", "YYYY-MM-DD"),
    ("2026-01-01", "2030-03-01", 28, f"{GROUP}[0].ready_to", "not after ready_from", "later date"),
    ("prefix: a,", "prefix: b,", 29, f"{GROUP}[1].prefix", "already names racks of hall 'h1'", "own prefix"),
    ("hosts: [x], feeds: [tx]", "feeds: [tx]", 29, f"{GROUP}[1].hosts", "1 host names for 1 racks", "18"),
    ("status: planned, feeds: [tx]", "feeds: [tx]", 29, f"{GROUP}[1].ready_from", "planned", "ready_from"),
]


@pytest.mark.parametrize(("written", "instead", "line", "field", "problem", "mend"), ONE_FAULT)
def test_one_fault_is_told_with_its_line_and_field(
    tmp_path: Path, written: str, instead: str, line: int, field: str, problem: str, mend: str
) -> None:
    assert instead in GOOD
    faults = faults_of(tmp_path, GOOD.replace(instead, written, 1))
    assert [(fault.where, fault.field) for fault in faults] == [(f"{tmp_path / 'fleet.yaml'}:{line}", field)]
    assert problem in faults[0].problem
    assert mend in faults[0].mend


def test_faults_of_form_and_of_the_graph_are_told_together(tmp_path: Path) -> None:
    text = GOOD.replace("value: 2", "value: -2").replace("parent: f1", "parent: pdu").replace("count: 2", "cuont: 2")
    text = text.replace("feeds: [pdu]", "feeds: []").replace("type: h100", "typo: 1\n      type: h1000")
    assert [fault.field for fault in faults_of(tmp_path, text)] == [
        f"{FEED}.limit_mw",
        f"{NODES}[0].parent",
        f"{NODES}[1].cuont",
        f"{GROUP}[0].typo",
        f"{GROUP}[0].type",
        f"{GROUP}[0].feeds",
    ]


def test_a_misspelt_field_that_must_be_there_is_told_as_unknown_and_as_missing(tmp_path: Path) -> None:
    faults = faults_of(tmp_path, GOOD.replace("operator: us", "operatr: us"))
    assert [(fault.field, fault.problem) for fault in faults] == [
        ("sites[0].operator", "is missing"),
        ("sites[0].operatr", "is not a known field"),
    ]


def test_repeated_sites_are_told(tmp_path: Path) -> None:
    site = GOOD.partition("sites:\n")[2]
    faults = faults_of(tmp_path, GOOD + site)
    assert [(fault.where.rpartition(":")[2], fault.field) for fault in faults] == [("30", "sites[1].id")]
    assert "'north' is already used by entry 0" in faults[0].problem


def test_a_path_of_too_many_power_nodes_is_told(tmp_path: Path) -> None:
    chain = "".join(
        f"    - {{id: n{i}, kind: lv_switchboard, parent: {f'n{i - 1}' if i else 'tx'}, usable_kw: 1}}\n"
        for i in range(7)
    )
    text = GOOD.replace("  cooling:\n", chain + "  cooling:\n").replace("feeds: [tx]", "feeds: [n6]")
    faults = faults_of(tmp_path, text)
    assert [fault.field for fault in faults] == [f"{GROUP}[1].feeds"]
    assert "9 power nodes stand above each rack, more than 8" in faults[0].problem


def test_paths_are_counted_by_single_nodes_and_not_by_families(tmp_path: Path) -> None:
    chain = "".join(
        f"    - {{id: n{i}, kind: ups, count: 2, parent: {f'n{i - 1}' if i else 'tx'}, usable_kw: 1}}\n"
        for i in range(4)
    )
    text = GOOD.replace("  cooling:\n", chain + "  cooling:\n").replace("feeds: [tx]", "feeds: [n3-1, n3-2]")
    assert "10 power nodes stand above each rack" in faults_of(tmp_path, text)[0].problem


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("", 1, "empty"),
        ("# only a comment\n", 1, "empty"),
        ("- a\n- b\n", 1, "not a mapping"),
        (GOOD.replace("  power:", " power:"), 10, "not valid YAML"),
        (GOOD[:300], None, "not valid YAML"),
        (GOOD.replace("  country: NO", "  country: NO\n  country: SE"), 6, "stands twice"),
        ("a: &x 1\nb: *x\n", 1, "anchor"),
        ("schema: fleet/v1\nsites: []\n", 2, "is empty"),
        (GOOD.partition("  halls:")[0] + "  halls: []\n", 3, "no site has any rack"),
    ],
)
def test_a_file_that_is_no_fleet_is_told(tmp_path: Path, text: str, line: int | None, problem: str) -> None:
    fault = faults_of(tmp_path, text)[0]
    assert problem in fault.problem
    assert fault.mend
    if line is not None:
        assert fault.where == f"{tmp_path / 'fleet.yaml'}:{line}"


def test_a_missing_file_and_a_binary_file_are_told(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00\x01")
    for name in ("nothing.yaml", "binary"):
        with pytest.raises(InputError) as caught:
            load_fleet(tmp_path / name)
        assert "cannot be read" in caught.value.faults[0].problem


SCALARS = st.one_of(
    st.sampled_from(
        ["", "x", "-1", "0", ".nan", "1e400", "true", "[]", "{}", "[1]", "{a: 1}", "2026-13-01", "NO", "~"]
    ),
    st.integers().map(str),
    st.text("abc:-_.[]{}&*!|>%@`\"'#, \n\t", max_size=8),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_written_either_compiles_or_is_a_named_fault(tmp_path: Path, data: st.DataObject) -> None:
    lines = GOOD.splitlines()
    at = data.draw(st.integers(0, len(lines) - 1))
    words = lines[at].split(": ")
    word = data.draw(st.integers(0, len(words) - 1))
    words[word] = data.draw(SCALARS)
    lines[at] = ": ".join(words)
    path = tmp_path / "fleet.yaml"
    path.write_text("\n".join(lines), encoding="utf-8")
    try:
        compile_fleet(load_fleet(path))
    except InputError as error:
        assert all(fault.where.startswith(str(path)) and fault.mend for fault in error.faults)  # noqa: PT017
