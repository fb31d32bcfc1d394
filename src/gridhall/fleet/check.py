"""What a planner asks of a fleet: how much, by when, and what binds first. Data only; the command line draws it."""

from collections import Counter
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from gridhall.fleet.arrays import FOREVER_MS, MAX_POWER_PATH, FleetArrays, Ints
from gridhall.fleet.compile import compile_fleet, hardware_in_use
from gridhall.fleet.models import Fleet, RackGroup, Site
from gridhall.fleet.power import FEED
from gridhall.fleet.rollup import ClaimRollup, FeedRollup, HallBottleneck, ReadyStep, Rollup, SiteRollup
from gridhall.units import MICRO

RACK_W_TOLERANCE = 0.05
"""A rack's parts may differ by this share from its published watts before `check` warns."""


def check_fleet(fleet: Fleet) -> Rollup:
    """Add up a fleet: capacity by site and status, feeds against peaks, bottlenecks, what is ready by when."""
    racks = _Racks(compile_fleet(fleet))
    sites = tuple(_site(fleet, racks, index) for index in range(len(fleet.sites)))
    halls = tuple(_hall(racks, hall) for hall in range(len(racks.arrays.hall_names)))
    timeline = tuple(_timeline(racks))
    peak = max(timeline, key=lambda step: step.online_it_w, default=None)
    counted = [(group, gpus, site) for site in fleet.sites for group, gpus in _groups(fleet, site)]
    return Rollup(
        title=fleet.title,
        notes=fleet.notes,
        sources=dict(fleet.sources),
        racks=len(racks.gpus),
        nodes=int(racks.arrays.rack_nodes.sum()),
        gpus=racks.arrays.gpus,
        gpus_by_status=_sum([(group.status or site.status, gpus) for group, gpus, site in counted]),
        gpus_by_kind=_sum([(group.count.kind, gpus) for group, gpus, _ in counted]),
        gpus_by_country=_sum([(site.country, gpus) for _, gpus, site in counted]),
        gpus_by_hardware=_sum([(group.type, gpus) for group, gpus, _ in counted]),
        peak_gpus=max((step.online_gpus for step in timeline), default=0),
        peak_it_w=peak.online_it_w if peak else 0,
        peak_site_w=sum(site.peak_site_w for site in sites),
        capex_usd=sum(site.capex_usd for site in sites),
        gpus_without_capex=sum(gpus for group, gpus, _ in counted if group.capex_usd_per_gpu is None),
        sites=sites,
        halls=halls,
        timeline=timeline,
        warnings=tuple(_warnings(fleet, sites, halls)),
    )


class _Racks:
    """The compiled fleet with watts and GPUs a rack, and the peak load of every power node."""

    def __init__(self, arrays: FleetArrays) -> None:
        self.arrays = arrays
        hw = arrays.cell_hw[arrays.rack_cell]
        self.site = arrays.cell_site[arrays.rack_cell]
        self.gpus = arrays.rack_nodes * arrays.hw_gpus_per_node[hw]
        self.max_w = arrays.rack_nodes * arrays.hw_node_fixed_w[hw] + self.gpus * arrays.hw_gpu_max_w[hw]
        self.starts = arrays.rack_ready_from_ms < FOREVER_MS
        changes = [arrays.rack_ready_from_ms, arrays.rack_ready_to_ms]
        times = np.unique(np.concatenate(changes))
        self.times: Ints = times[times < FOREVER_MS]
        self.node_peak_w = self._node_peaks()

    def online(self, time_ms: int) -> NDArray[np.bool_]:
        """Which racks are on line at a time."""
        return (self.arrays.rack_ready_from_ms <= time_ms) & (time_ms < self.arrays.rack_ready_to_ms)

    def peak(self, of: Ints, where: NDArray[np.bool_]) -> int:
        """Most of a quantity that racks `where` have on line at one time."""
        return max((int(of[self.online(int(time)) & where].sum()) for time in self.times), default=0)

    def _node_peaks(self) -> Ints:
        nodes = len(self.arrays.power_names)
        path = self.arrays.rack_path.reshape(-1, MAX_POWER_PATH)
        peaks = np.zeros(nodes, dtype=np.int64)
        for time in self.times:
            loads = np.zeros(nodes + 1, dtype=np.int64)  # the last entry takes what has no node
            watts = np.where(self.online(int(time)), self.max_w, 0)
            np.add.at(loads, path, watts[:, None])
            peaks = np.maximum(peaks, loads[:-1])
        return peaks


def _groups(fleet: Fleet, site: Site) -> Iterator[tuple[RackGroup, int]]:
    """The site's rack groups with their GPUs."""
    for hall in site.halls:
        for group in hall.rack_groups:
            hardware = fleet.hardware_type(group.type)
            assert hardware is not None, "a compiled fleet knows its hardware"
            nodes = group.nodes_per_rack or hardware.nodes_per_rack
            yield group, group.count.whole * nodes * hardware.gpus_per_node


def _sum(entries: list[tuple[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for key, gpus in entries:
        total[key] += gpus
    return dict(total)


def _site(fleet: Fleet, racks: _Racks, index: int) -> SiteRollup:
    site, here = fleet.sites[index], racks.site == index
    groups = list(_groups(fleet, site))
    peak_it_w, gpus = racks.peak(racks.max_w, here), int(racks.gpus[here].sum())
    capex_usd = int(racks.arrays.rack_capex_musd[here & racks.starts].sum()) // MICRO
    modelled = {"gpus": gpus, "it_mw": peak_it_w / 1e6, "site_mw": peak_it_w * site.pue.value / 1e6}
    modelled |= {"capex_usd": capex_usd, "pue": site.pue.value}
    return SiteRollup(
        site=site.id,
        country=site.country,
        operator=site.operator,
        owner=site.owner,
        landlord=site.landlord,
        status=site.status,
        pue=site.pue.value,
        racks=int(here.sum()),
        gpus=gpus,
        gpus_by_status=_sum([(group.status or site.status, count) for group, count in groups]),
        gpus_by_kind=_sum([(group.count.kind, count) for group, count in groups]),
        peak_gpus=racks.peak(racks.gpus, here),
        peak_it_w=peak_it_w,
        peak_site_w=round(peak_it_w * site.pue.value),
        capex_usd=capex_usd,
        feeds=tuple(_feeds(site, racks)),
        claims=tuple(_claims(site, modelled)),
    )


def _feeds(site: Site, racks: _Racks) -> Iterator[FeedRollup]:
    for feed in site.grid.feeds:
        name = f"{site.id}/{feed.tag}"
        peak_it_w = int(racks.node_peak_w[racks.arrays.power_names.index(name)])
        yield FeedRollup(
            name=name,
            limit_mw=feed.limit_mw.value,
            limit_kind=feed.limit_mw.kind,
            min_mw=feed.min_mw.value if feed.min_mw else None,
            default_mw=feed.default_mw.value if feed.default_mw else None,
            peak_it_w=peak_it_w,
            peak_site_w=round(peak_it_w * site.pue.value),
        )


def _claims(site: Site, modelled: dict[str, float]) -> Iterator[ClaimRollup]:
    for claim in site.claims:
        as_of = claim.as_of.isoformat() if claim.as_of else None
        ours = modelled.get(claim.what)
        yield ClaimRollup(claim.what, claim.value, claim.kind, claim.source, as_of, ours)


def _hall(racks: _Racks, hall: int) -> HallBottleneck:
    arrays = racks.arrays
    here = arrays.rack_hall == hall
    above = np.unique(arrays.rack_path.reshape(-1, MAX_POWER_PATH)[here])
    above = above[above >= 0]
    shares = racks.node_peak_w[above] / np.maximum(arrays.power_limit_w[above], 1)
    first = int(above[np.argmax(shares)])
    return HallBottleneck(
        hall=arrays.hall_names[hall],
        hardware=arrays.hw_names[int(arrays.cell_hw[arrays.hall_cell[hall]])],
        racks=int(here.sum()),
        gpus=int(racks.gpus[here].sum()),
        paused_gpus=int(racks.gpus[here & ~racks.starts].sum()),
        peak_it_w=racks.peak(racks.max_w, here),
        node=arrays.power_names[first],
        node_kind=arrays.power_kind[first],
        limit_w=int(arrays.power_limit_w[first]),
        load_w=int(racks.node_peak_w[first]),
    )


def _timeline(racks: _Racks) -> Iterator[ReadyStep]:
    arrays = racks.arrays
    for time in racks.times.tolist():
        online = racks.online(time)
        by_site = np.bincount(racks.site[online], weights=racks.gpus[online], minlength=len(arrays.site_names))
        yield ReadyStep(
            time_ms=time,
            added_gpus=int(racks.gpus[arrays.rack_ready_from_ms == time].sum()),
            retired_gpus=int(racks.gpus[arrays.rack_ready_to_ms == time].sum()),
            online_gpus=int(racks.gpus[online].sum()),
            online_it_w=int(racks.max_w[online].sum()),
            capex_usd=int(arrays.rack_capex_musd[arrays.rack_ready_from_ms <= time].sum()) // MICRO,
            online_by_site=dict(zip(arrays.site_names, by_site.astype(np.int64).tolist(), strict=True)),
        )


def _warnings(fleet: Fleet, sites: tuple[SiteRollup, ...], halls: tuple[HallBottleneck, ...]) -> Iterator[str]:
    for site in sites:
        for feed in site.feeds:
            if feed.share > 1:
                yield f"feed {feed.name} carries {_percent(feed.share)} of its racks at full load (PUE {site.pue:g})"
        for claim in site.claims:
            planned = claim.what == "gpus" and claim.kind in ("committed", "target", "up-to", "published")
            if planned and claim.modelled != claim.claimed:
                claimed = f"{claim.claimed:,.0f} are claimed ({claim.kind})"
                yield f"site {site.site} models {site.gpus:,} GPUs; {claimed}"
    for hall in halls:
        if hall.share > 1 and hall.node_kind != FEED:
            node = f"{hall.node_kind} {hall.node}"
            yield f"hall {hall.hall}: {node} carries {_percent(hall.share)} of its racks at full load"
    for name, hardware in hardware_in_use(fleet).items():
        published = hardware.rack_w.value if hardware.rack_w else 0
        if published and abs(hardware.rack_max_w / published - 1) > RACK_W_TOLERANCE:
            yield f"hardware {name}: a rack adds up to {hardware.rack_max_w:,} W, its rack_w says {published:,.0f} W"


def _percent(load_over_limit: float) -> str:
    return f"{100 / load_over_limit:.0f} %"
