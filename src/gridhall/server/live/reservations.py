"""Reserving: nodes of the fleet for a project, from a time until a time, as the core decides."""

from dataclasses import dataclass

from gridhall.controller.events import RESERVE
from gridhall.controller.live import Effect, row
from gridhall.scheduling.decisions import HOLD
from gridhall.server.live.draft import Draft, Refusal
from gridhall.server.live.fleet_map import FleetMap
from gridhall.server.live.projection import project
from gridhall.server.live.submit import check_known
from gridhall.server.live.world import Resource
from gridhall.server.objects.reservation import LONGEST_MS, ReservationSpec


@dataclass(frozen=True, slots=True)
class Reserve:
    """A wish of a user for a project; the id is known already."""

    id: str
    name: str
    organisation: str
    project: str
    project_number: int
    user: str
    spec: ReservationSpec

    def decide(self, draft: Draft) -> Resource | Refusal:
        """The reservation, or the refusal (507) that the core decided and that is in the log."""
        check_times(self.spec, draft.now_ms)
        cells = reservable_cells(draft.world.fleet, self.spec)
        fields = (self.project_number, cells, self.spec.nodes, self.spec.from_ms, self.spec.until_ms)
        effects = draft.step(row(RESERVE, draft.now_ms, *fields))
        project(draft, effects)
        held = next((effect for effect in effects if effect[0] == HOLD and effect[2] == -1), None)
        if held is None:
            return refused(self.spec)
        return self._keep(draft, held)

    def _keep(self, draft: Draft, held: Effect) -> Resource:
        status: dict[str, object] = {
            "cell": held[5],
            "from_ms": held[6],
            "project": self.project_number,
            "entry": draft.next_entry - 1,
        }
        kept = Resource(
            self.id, "reservation", self.name, self.organisation, self.project, draft.now_ms, self.user, draft.now_ms,
            self.spec.model_dump(mode="json"), status, number=held[3] + 1,
        )  # fmt: skip
        draft.put(kept)
        return kept


def refused(spec: ReservationSpec) -> Refusal:
    """No cell can have the nodes in time."""
    return Refusal(507, "capacity", f"no allowed place can have {spec.nodes:,} nodes of one kind free by then")


def check_times(spec: ReservationSpec, now_ms: int) -> None:
    """Raise Refusal (422) for a reservation that is over before it begins, or lasts too long."""
    from_ms = max(now_ms, spec.from_ms)
    if spec.until_ms <= from_ms:
        raise Refusal(422, "over", "until_ms is not after now")
    if spec.until_ms - from_ms > LONGEST_MS:
        raise Refusal(422, "too-long", "a reservation lasts at most 366 days; make several")


def reservable_cells(fleet: FleetMap, spec: ReservationSpec) -> int:
    """The mask of cells that may be reserved from. Raises Refusal (422) when there is none."""
    check_known(fleet, spec.sites, spec.hardware)
    cells = fleet.cells(spec.sites, (), spec.hardware, spec.gpus)
    if cells == 0:
        raise Refusal(422, "no-place", "no site named has the hardware asked for")
    return cells
