"""Submitting: from a job's spec to the row that the core decides on, and what becomes of its answer."""

import secrets
import time
from collections.abc import Collection
from dataclasses import dataclass

from gridhall.controller.live import Effect, Submit
from gridhall.ledger.commitment import SALT_BYTES, commit_text
from gridhall.scheduling.decisions import REFUSE
from gridhall.scheduling.jobs import R_CLOSED, R_NEVER_MET, R_PLACES, R_QUOTA, REASONS
from gridhall.server.live.draft import Draft, Refusal, stable_number
from gridhall.server.live.fleet_map import FleetMap
from gridhall.server.live.projection import project
from gridhall.server.live.work import Job
from gridhall.server.objects.job import LEVELS, PRIORITIES, JobSpec


@dataclass(frozen=True, slots=True)
class NewJob:
    """A submission by a user (or service account) for a project, whose id, name and number are known already."""

    id: str
    name: str
    organisation: str
    project: str
    project_number: int
    user: str
    spec: JobSpec

    def decide(self, draft: Draft) -> Job | Effect:
        """The accepted job, or the REFUSE effect. Raises Refusal where no allowed place is in the fleet at all."""
        cells = allowed_cells(draft.world.fleet, self.spec)
        text = self.spec.model_dump_json(exclude_unset=True)
        salt = secrets.token_bytes(SALT_BYTES)
        number = draft.world.next_job
        effects = draft.step(
            submit_row(number, self, cells, draft.world.fleet).row(draft.now_ms), commit_text(salt, text)
        )
        if effects[0][0] == REFUSE:
            return effects[0]
        job = Job(
            number, self.id, self.organisation, self.project, self.user, self.name, draft.now_ms,
            draft.next_entry - 1, salt, text, slot=effects[0][3],
        )  # fmt: skip
        draft.add_job(job)
        project(draft, effects)
        return job


@dataclass(frozen=True, slots=True)
class NewJobs:
    """Many submissions at once, each accepted or refused by itself."""

    jobs: tuple[NewJob, ...]

    def decide(self, draft: Draft) -> list[Job | Refusal]:
        """What became of each, in order."""
        return [_decide(job, draft) for job in self.jobs]


def _decide(job: NewJob, draft: Draft) -> Job | Refusal:
    try:
        decided = job.decide(draft)
    except Refusal as refusal:
        return refusal
    return decided if isinstance(decided, Job) else refusal_of(decided)


REFUSALS: dict[int, tuple[int, str]] = {
    R_PLACES: (422, "no-place"),
    R_NEVER_MET: (422, "constraint"),
    R_QUOTA: (507, "quota"),
    R_CLOSED: (409, "closed"),
}
"""HTTP status and reason of a REFUSE effect, by the core's reason."""


def refusal_of(effect: Effect) -> Refusal:
    """What the core refused, for people."""
    status, reason = REFUSALS.get(effect[5], (507, "refused"))
    return Refusal(status, reason, f"it can never run: {REASONS[effect[5]]}")


def submit_row(number: int, new: NewJob, cells: int, fleet: FleetMap) -> Submit:
    """The core's view of a submission."""
    spec, asked = new.spec, new.spec.resources
    placement = spec.placement
    return Submit(
        job_id=number,
        project=new.project_number,
        user=stable_number(new.user),
        name=stable_number(new.name),
        priority=PRIORITIES.index(spec.priority),
        preemptible=int(spec.preemptible),
        tier=spec.tier,
        gpus=asked.gpus or fleet.host_units(cells, asked.cpu_milli),
        gpus_per_node=asked.gpus_per_node,
        gpu_milli=asked.gpu_milli,
        cpu_milli=asked.cpu_milli,
        mem_mib=asked.mem_mib,
        cells=cells,
        limit_ms=spec.limit_ms,
        checkpoint_ms=spec.checkpoint.interval_ms,
        checkpoint_cost_ms=spec.checkpoint.cost_ms,
        deadline_ms=spec.deadline_ms,
        pack_level=0 if placement.level is None else 1 + LEVELS.index(placement.level),
        min_domains=placement.min_domains,
        max_skew=placement.max_skew,
        best_effort=int(placement.when_unsatisfiable == "best-effort"),
    )


def allowed_cells(fleet: FleetMap, spec: JobSpec) -> int:
    """The mask of cells where a job may run. Raises Refusal (422) when there is none, naming what is not there."""
    places, hardware = spec.places, spec.resources.hardware
    check_known(fleet, places.sites, hardware)
    cells = fleet.cells(places.sites, places.countries, hardware, spec.resources.gpus > 0)
    if cells == 0:
        asked = "GPUs" if spec.resources.gpus else "hosts without GPUs (gpus: 0)"
        raise Refusal(422, "no-place", f"no allowed site has {asked} of the hardware asked for")
    return cells


def check_known(fleet: FleetMap, sites: Collection[str], hardware: Collection[str]) -> None:
    """Raise Refusal (422) for a site or hardware that is not in the fleet."""
    unknown = set(hardware) - set(fleet.arrays.hw_names) or set(sites) - set(fleet.arrays.site_names)
    if unknown:
        known = ", ".join([*fleet.arrays.site_names, *fleet.arrays.hw_names])
        raise Refusal(422, "unknown-place", f"{', '.join(sorted(unknown))} is not in the fleet, which has {known}")


def new_job_id() -> str:
    """A name for a job: sortable by time, not to be guessed."""
    return f"job_{time.time_ns() // 1_000_000:011x}{secrets.token_hex(8)}"
