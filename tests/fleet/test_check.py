"""Rolling up a fleet: peaks, bottlenecks, what is ready by when."""

from datetime import date

import pytest

from gridhall.fleet import Fleet, check_fleet, shipped_hardware
from gridhall.fleet.catalogue import shipped
from gridhall.units import utc_ms

RACK_W = shipped_hardware()["h100"].rack_max_w
GROUP = {"type": "h100", "feeds": ["pdu"]}


def fleet(*groups: dict[str, object], limit_mw: float = 1.0, pdu_kw: float = 1000.0) -> Fleet:
    racks = [{"prefix": f"g{number}-", **GROUP, **group} for number, group in enumerate(groups)]
    site = {
        "id": "s",
        "country": "GB",
        "operator": "x",
        "pue": 1.25,
        "claims": [{"what": "gpus", "value": 1000, "kind": "target"}],
        "grid": {"feeds": [{"tag": "f", "limit_mw": limit_mw}]},
        "power": {"nodes": [{"id": "pdu", "kind": "pdu", "parent": "f", "usable_kw": pdu_kw}]},
        "halls": [{"id": "h", "rack_groups": racks}],
    }
    return Fleet.model_validate({"schema": "fleet/v1", "sites": [site]})


def test_a_feed_is_held_against_it_power_times_pue() -> None:
    (feed,) = check_fleet(fleet({"count": 10})).sites[0].feeds
    assert feed.peak_it_w == 10 * RACK_W
    assert feed.peak_site_w == round(12.5 * RACK_W)
    assert feed.share == pytest.approx(12.5 * RACK_W / 1e6)


def test_the_first_bottleneck_is_the_node_with_the_largest_load_for_its_limit() -> None:
    by_feed = check_fleet(fleet({"count": 10}, limit_mw=0.5)).halls[0]
    assert (by_feed.node, by_feed.node_kind) == ("s/f", "feed")
    assert by_feed.share == pytest.approx(10 * RACK_W * 1.25 / 0.5e6)
    by_pdu = check_fleet(fleet({"count": 10}, limit_mw=0.6, pdu_kw=300)).halls[0]
    assert (by_pdu.node, by_pdu.node_kind, by_pdu.limit_w) == ("s/pdu", "pdu", 300_000)
    assert by_pdu.load_w == 10 * RACK_W


def test_a_node_that_cannot_carry_its_racks_is_warned_of() -> None:
    warnings = check_fleet(fleet({"count": 10}, pdu_kw=RACK_W * 5 / 1000)).warnings
    assert "hall s/h: pdu s/pdu carries 50 % of its racks at full load" in warnings
    assert "site s models 320 GPUs; 1,000 are claimed (target)" in warnings


def test_racks_that_follow_one_another_do_not_add_up() -> None:
    early = {"count": 3, "ready_to": date(2027, 1, 1), "capex_usd_per_gpu": 10}
    late = {"count": 5, "ready_from": date(2027, 1, 1), "capex_usd_per_gpu": 20}
    answer = check_fleet(fleet(early, late))
    assert (answer.racks, answer.gpus, answer.peak_gpus) == (8, 256, 160)
    assert answer.halls[0].load_w == 5 * RACK_W
    steps = [(s.time_ms, s.added_gpus, s.retired_gpus, s.online_gpus, s.capex_usd) for s in answer.timeline]
    assert steps == [(0, 96, 0, 96, 960), (utc_ms(date(2027, 1, 1)), 160, 96, 160, 960 + 3200)]


def test_paused_racks_are_counted_but_draw_nothing() -> None:
    answer = check_fleet(fleet({"count": 2}, {"count": 7, "status": "paused", "capex_usd_per_gpu": 1}))
    assert answer.gpus_by_status == {"active": 64, "paused": 224}
    assert (answer.peak_gpus, answer.peak_it_w, answer.capex_usd) == (64, 2 * RACK_W, 0)
    assert answer.halls[0].paused_gpus == 224


def test_gpus_are_counted_by_what_their_number_rests_on() -> None:
    answer = check_fleet(fleet({"count": 1}, {"count": {"value": 2, "kind": "up-to"}}))
    assert answer.gpus_by_kind == {"assumed": 32, "up-to": 64}
    assert answer.gpus_without_capex == 96


@pytest.mark.parametrize("name", [name for name, hw in shipped_hardware().items() if hw.rack_w])
def test_a_catalogue_rack_adds_up_to_what_is_published_for_it(name: str) -> None:
    hardware = shipped_hardware()[name]
    assert hardware.rack_w is not None
    assert hardware.rack_max_w == pytest.approx(hardware.rack_w.value, rel=0.001)


def test_every_source_that_the_catalogue_names_is_described() -> None:
    catalogue = shipped()
    for hardware in catalogue.hardware.values():
        for figure in (hardware.gpu_idle_w, hardware.gpu_max_w, hardware.node_fixed_w, hardware.rack_w):
            if figure is not None:
                assert figure.source in {None, *catalogue.sources}
                assert figure.kind in ("measured", "published", "assumed")
                assert figure.source or figure.kind == "assumed"
