"""Quotas: GPUs of one's own, GPUs by hardware type, kilowatts. They are set inside `step`, which checks the versions.

The core keeps a version for each number; a quota as people see it has one for all of them, and remembers those of the
core in its status. Whoever changes it has seen all or none.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

from gridhall.controller.events import CEILING, QUOTA
from gridhall.controller.live import row
from gridhall.kernel import Ints
from gridhall.server.live.draft import Draft, Refusal
from gridhall.server.live.world import Resource, World
from gridhall.server.objects.tenancy import QuotaSpec, QuotaStatus
from gridhall.server.tenants.core import tell_core
from gridhall.server.tenants.owners import seen_part
from gridhall.server.tenants.tenants import LEVELS

KIND = "quota"
GPUS = -2
WATTS = -1
"""The kind of a ceiling on watts in a CEILING event; from 0 on they are hardware types. GPUS is no ceiling."""
NO_LIMIT = -1
W_PER_KW = 1000


@dataclass(frozen=True, slots=True)
class SetQuota:
    """A quota becomes what is wanted, if it is at the version that was seen."""

    id: str
    expected: int | None
    spec: QuotaSpec

    def plan(self, world: World, now_ms: int) -> Resource:
        """What it will be."""
        unknown = set(self.spec.hardware_gpus) - set(world.fleet.arrays.hw_names)
        if unknown:
            known = ", ".join(world.fleet.arrays.hw_names)
            raise Refusal(
                422, "unknown-hardware", f"{', '.join(sorted(unknown))} is not in the fleet, which has {known}"
            )
        seen = seen_part(world, KIND, self.id, self.expected, {})
        return replace(seen, spec=self.spec.model_dump(), modified_ms=now_ms, version=seen.version + 1)

    def decide(self, draft: Draft) -> Resource:
        """What it is afterwards."""
        planned = self.plan(draft.world, draft.now_ms)
        before = QuotaSpec.model_validate(seen_part(draft.world, KIND, self.id, None, {}).spec)
        names = draft.world.fleet.arrays.hw_names
        old, versions = numbers_of(before, names), dict(planned.status)
        for kind, wanted in numbers_of(self.spec, names).items():
            if wanted != old[kind]:
                seen = cast(int, versions.get(str(kind), 0))
                versions[str(kind)] = tell_core(draft, _event(draft.now_ms, planned, kind, seen, wanted))
        after = replace(planned, status=versions)
        draft.put(after)
        return after


def numbers_of(spec: QuotaSpec, names: Sequence[str]) -> dict[int, tuple[int, ...]]:
    """What the core is told, by kind. GPUs come first: they alone can be refused because of what runs."""
    watts = NO_LIMIT if spec.kilowatts is None else spec.kilowatts * W_PER_KW
    hardware = {place: (spec.hardware_gpus.get(name, NO_LIMIT),) for place, name in enumerate(names)}
    return {GPUS: (spec.gpus, _limit(spec.borrow_gpus), _limit(spec.lend_gpus)), WATTS: (watts,), **hardware}


def usage_of(world: World, quota: Resource) -> QuotaStatus:
    """What the owner of a quota uses now."""
    w = world.state
    node = int(w.quota_project0[0]) + quota.number if quota.project else 1 + quota.number
    kinds = int(w.ceiling_kinds[0])
    used = [int(w.ceiling_used[node * kinds + kind]) for kind in range(kinds)]
    hardware = dict(zip(world.fleet.arrays.hw_names, used[1:], strict=True))
    return QuotaStatus(
        used_gpus=int(w.quota_used[node]), used_hardware_gpus=hardware, used_kilowatts=used[0] / W_PER_KW
    )


def _event(now_ms: int, quota: Resource, kind: int, version: int, wanted: tuple[int, ...]) -> Ints:
    level = LEVELS["project" if quota.project else "organisation"]
    if kind == GPUS:
        return row(QUOTA, now_ms, level, quota.number, version, *wanted)
    return row(CEILING, now_ms, level, quota.number, kind, version, *wanted)


def _limit(gpus: int | None) -> int:
    return NO_LIMIT if gpus is None else gpus
