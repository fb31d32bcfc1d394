"""The Frontier chain against the figures that ExaDigiT publishes."""

import pytest

from gridhall.energy import FRONTIER, Load, chain_power

TABLE = [
    # load, node W, rack kW, system MW
    (Load(0.0, 0.0), 626.26, 95.874, 7.3065),
    (Load(0.33, 0.79), 2180.48, 307.333, 22.9545),
    (Load(1.0, 1.0), 2704.26, 378.595, 28.2279),
]


@pytest.mark.parametrize(("load", "node_w", "rack_kw", "system_mw"), TABLE)
def test_every_stage_meets_the_published_table(load: Load, node_w: float, rack_kw: float, system_mw: float) -> None:
    power = chain_power(FRONTIER, load)
    assert power.node_w == pytest.approx(node_w, abs=0.005)
    assert power.rack_w / 1e3 == pytest.approx(rack_kw, abs=0.0005)
    assert power.system_w / 1e6 == pytest.approx(system_mw, abs=0.00005)


@pytest.mark.parametrize(("load", "loss_mw"), [(Load(0.0, 0.0), 0.5708), (Load(1.0, 1.0), 1.8093)])
def test_losses_meet_the_closed_form(load: Load, loss_mw: float) -> None:
    assert chain_power(FRONTIER, load).loss_w / 1e6 == pytest.approx(loss_mw, abs=0.00005)


def test_losses_are_what_the_meter_sees_beyond_nodes_switches_and_cdus() -> None:
    power = chain_power(FRONTIER, Load(0.5, 0.5))
    chassis = FRONTIER.racks * FRONTIER.chassis_per_rack
    useful_w = chassis * (FRONTIER.nodes_per_chassis * power.node_w + FRONTIER.switches_per_chassis * FRONTIER.switch_w)
    assert power.system_w - FRONTIER.cdus * FRONTIER.cdu_w - useful_w == pytest.approx(power.loss_w)
