"""From a checked scenario to what the twin runs and its summary rests on: files read, work made, prices sampled."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from gridhall import __version__
from gridhall.engines.twin.index import RunIndex, run_index
from gridhall.engines.twin.load_targets import resolve_targets
from gridhall.engines.twin.scenario import GeneratorWork, OrganisationShare, ProjectShare, Scenario, TraceWork
from gridhall.engines.twin.scenario_file import LoadedScenario
from gridhall.engines.twin.series import Sampled, sample
from gridhall.engines.twin.settings import Plan, WorldSettings
from gridhall.engines.twin.summary import Basis
from gridhall.errors import Fault, InputError, fault
from gridhall.fleet import Fleet, FleetArrays, compile_fleet, load_fleet
from gridhall.scheduling.policy import DEFAULT_POLICY, Policy, load_policy
from gridhall.tenancy import Organisation, Project, Tenancy
from gridhall.units import HOUR_MS, SECOND_MS
from gridhall.work import PROFILES, TIERS, SyntheticWorkload, Workload, generate, profile


@dataclass(frozen=True)
class Prepared:
    """All that a scenario names, read and checked."""

    loaded: LoadedScenario
    fleet_file: Fleet
    fleet: FleetArrays
    workload: Workload
    tenancy: Tenancy
    policy: Policy
    index: RunIndex
    prices: dict[str, Sampled]
    carbon: dict[str, Sampled]

    @property
    def scenario(self) -> Scenario:
        """The scenario itself."""
        return self.loaded.scenario


def prepare(loaded: LoadedScenario) -> Prepared:
    """Read the files that a scenario names. Raises InputError with their faults."""
    scenario = loaded.scenario
    fleet_file = read_fleet(loaded.base / scenario.fleet)
    fleet = compile_fleet(fleet_file)
    targets = resolve_targets(loaded, fleet)
    workload = _workload(loaded, fleet)
    return Prepared(
        loaded,
        fleet_file,
        fleet,
        workload,
        _tenancy(loaded, workload, fleet.gpus),
        _policy(loaded),
        run_index(fleet, workload, scenario.start_ms, scenario.end_ms, targets),
        _sampled(loaded, fleet, "price"),
        _sampled(loaded, fleet, "carbon"),
    )


def to_plan(prepared: Prepared, record: Path | None = None) -> Plan:
    """What the twin runs; `record` is a folder that does not exist yet."""
    scenario = prepared.scenario
    failures, timings, draw = scenario.failures, scenario.timings, scenario.draw
    world = WorldSettings(
        failures_per_1000_node_days=failures.rate_per_1000_node_days,
        repair_median_ms=round(failures.repair_median_h * HOUR_MS),
        repair_sigma=failures.repair_sigma,
        start_delay_ms=round(timings.start_s * SECOND_MS),
        restart_delay_ms=round(timings.restart_s * SECOND_MS),
        stop_delay_ms=round(timings.stop_s * SECOND_MS),
        draw_milli=round(draw.share_of_charged * 1000),
        power_by_minute=draw.by_minute,
    )
    return Plan(
        prepared.fleet,
        prepared.workload,
        prepared.tenancy,
        prepared.policy,
        world,
        scenario.start_ms,
        scenario.end_ms,
        scenario.seed,
        record=record,
        targets=prepared.index.targets,
    )


def read_fleet(path: Path) -> Fleet:
    """A fleet file, or a CSV of nodes with openb's columns. Raises InputError with every fault."""
    if path.suffix != ".csv":
        return load_fleet(path)
    from gridhall.fleet.imports import openb_fleet

    return openb_fleet(path)


def _policy(loaded: LoadedScenario) -> Policy:
    scenario = loaded.scenario
    policy = load_policy(loaded.base / scenario.policy if scenario.policy else DEFAULT_POLICY)
    if scenario.tick_s is None:
        return policy
    passes = policy.passes.model_copy(update={"tick_minutes": scenario.tick_s / 60})
    return policy.model_copy(update={"passes": passes})


def _workload(loaded: LoadedScenario, fleet: FleetArrays) -> Workload:
    work = loaded.scenario.work
    return _generated(loaded, work.generator, fleet) if work.generator else _recorded(loaded, work.trace, fleet)


def _generated(loaded: LoadedScenario, work: GeneratorWork, fleet: FleetArrays) -> Workload:
    if work.profile not in PROFILES:
        mend = f"use one of {', '.join(PROFILES)}"
        raise fault(str(loaded.path), "work.generator.profile", f"there is no profile {work.profile!r}", mend)
    scenario = loaded.scenario
    span = {"start_ms": scenario.start_ms, "end_ms": scenario.end_ms}
    kind = profile(work.profile)
    if work.tiers is not None:
        shares = {str(tier): share for tier, share in work.tiers.items()}
        kind = replace(kind, tiers=tuple(shares.get(tier, 0.0) for tier in TIERS))
    return generate(kind, seed=scenario.seed, fleet=fleet, jobs=work.jobs, load=work.load, **span)


def _recorded(loaded: LoadedScenario, work: TraceWork | None, fleet: FleetArrays) -> Workload:
    assert work is not None, "the scenario has one of the two"
    from gridhall.work.readers import read_jobs

    return read_jobs(
        loaded.base / work.path,
        work.format,
        fleet,
        mapping=loaded.base / work.mapping if work.mapping else None,
        align_ms=loaded.scenario.start_ms if work.align == "start" else None,
        cpu_jobs=work.cpu_jobs,
    )


def _tenancy(loaded: LoadedScenario, workload: Workload, gpus: int) -> Tenancy:
    part = loaded.scenario.tenancy
    listed = {share.name: share for share in part.organisations}
    projects = {share.name: share for organisation in part.organisations for share in organisation.projects}
    _refuse_unknown(loaded, workload, listed, projects)
    others = max(1, len(set(workload.organisations) - listed.keys()))
    even = None if part.quota_share is None else round(gpus * part.quota_share / others)
    owners = [workload.organisations[int(index)] for index in workload.project_organisation.tolist()]
    return Tenancy(
        tuple(_organisation(name, listed.get(name), even) for name in workload.organisations),
        tuple(_project(name, owner, projects.get(name)) for name, owner in zip(workload.projects, owners, strict=True)),
    )


def _refuse_unknown(
    loaded: LoadedScenario,
    workload: Workload,
    organisations: dict[str, OrganisationShare],
    projects: dict[str, ProjectShare],
) -> None:
    strangers = sorted(
        (organisations.keys() - set(workload.organisations)) | (projects.keys() - set(workload.projects))
    )
    mend = f"use names of the workload, such as {workload.organisations[0]!r} and {workload.projects[0]!r}"
    if strangers:
        faults = [Fault(str(loaded.path), "tenancy", f"the work has no {name!r}", mend) for name in strangers]
        raise InputError(faults)


def _organisation(name: str, share: OrganisationShare | None, even: int | None) -> Organisation:
    if share is None:
        return Organisation(name, quota_gpus=even)
    return Organisation(name, share.weight, share.quota_gpus, share.borrow_gpus, share.lend_gpus)


def _project(name: str, organisation: str, share: ProjectShare | None) -> Project:
    if share is None:
        return Project(name, organisation)
    return Project(name, organisation, share.weight, share.quota_gpus, share.borrow_gpus, share.lend_gpus)


def _sampled(loaded: LoadedScenario, fleet: FleetArrays, what: str) -> dict[str, Sampled]:
    scenario = loaded.scenario
    part = scenario.price if what == "price" else scenario.carbon
    return {
        country: sample(part.of(country), scenario.start_ms, scenario.end_ms, scenario.seed, loaded.base)
        for country in sorted(set(fleet.site_country))
    }


def gpus_basis(fleet: Fleet) -> Basis:
    """What the number of GPUs rests on: assumed as soon as one group's count is."""
    kinds = {group.count.kind for site in fleet.sites for hall in site.halls for group in hall.rack_groups}
    return "assumed" if "assumed" in kinds else "measured" if kinds == {"measured"} else "published"


def capex_basis(fleet: Fleet) -> Basis:
    """What the price of the hardware rests on."""
    groups = [group for site in fleet.sites for hall in site.halls for group in hall.rack_groups]
    kinds = {group.capex_usd_per_gpu.kind for group in groups if group.capex_usd_per_gpu}
    return "published" if kinds and "assumed" not in kinds else "assumed"


def provenance(prepared: Prepared) -> dict[str, Any]:
    """What a run rests on, as far as it is known before it has run."""
    scenario, loaded = prepared.scenario, prepared.loaded
    workload = prepared.workload
    return {
        "notes": [*scenario.notes, *prepared.fleet_file.notes],
        "scenario": loaded.path.name,
        "set": loaded.overrides,
        "seed": scenario.seed,
        "fleet": prepared.fleet_file.title,
        "fleet_sources": dict(prepared.fleet_file.sources),
        "work": workload.title,
        "work_origin": workload.origin,
        "work_notes": list(getattr(workload, "notes", ())),
        "stretch": workload.stretch if isinstance(workload, SyntheticWorkload) else None,
        "load": workload.load if isinstance(workload, SyntheticWorkload) else None,
        "failures": scenario.failures.source,
        "policy": scenario.policy or "shipped",
        "policy_hash": prepared.policy.hash,
        "gridhall": __version__,
        "numpy": np.__version__,
        "prices": _rests(prepared.prices),
        "carbon": _rests(prepared.carbon),
        "money_line": scenario.money.line.model_dump() if scenario.money.line else None,
    }


def _rests(series: dict[str, Sampled]) -> list[dict[str, Any]]:
    return [
        {"country": country, "basis": sampled.basis, "source": sampled.source, "filled_share": sampled.filled}
        for country, sampled in series.items()
    ]
