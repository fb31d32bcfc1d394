"""Nodes taken out of service and put back: the core is told, and who did it and why is kept beside the node's id."""

from dataclasses import dataclass, replace
from typing import Literal

from gridhall.controller.events import CORDON, DRAIN
from gridhall.controller.live import row
from gridhall.server.live.draft import Draft, Refusal
from gridhall.server.live.projection import project
from gridhall.server.live.world import Resource, World

KIND = "node"
Mark = Literal["cordon", "uncordon", "drain"]


@dataclass(frozen=True, slots=True)
class MarkNode:
    """A user cordons, uncordons or drains a node. `expected` is the version that they saw, None = any."""

    node: int
    mark: Mark
    note: str
    user: str
    expected: int | None = None

    def plan(self, world: World, now_ms: int) -> Resource:
        """What is kept about the node afterwards. Raises Refusal."""
        id = world.fleet.node_ids[self.node]
        kept = world.directory.get(KIND, id)
        version = 1 if kept is None else kept.version
        if self.expected not in (None, version):
            raise Refusal(412, "changed", f"{id} is at version {version} by now; read it again")
        spec: dict[str, object] = {
            "cordoned": self.mark != "uncordon",
            "draining": self.mark == "drain",
            "note": self.note,
        }
        if kept is not None:
            return replace(kept, spec=spec, modified_ms=now_ms, version=version + 1)
        name = world.fleet.nodes[self.node]
        return Resource(id, KIND, name, "", "", now_ms, self.user, now_ms, spec, number=self.node, version=2)

    def decide(self, draft: Draft) -> Resource:
        """What is kept about the node."""
        planned = self.plan(draft.world, draft.now_ms)
        if self.mark == "drain":
            event = row(DRAIN, draft.now_ms, self.node)
        else:
            event = row(CORDON, draft.now_ms, self.node, int(self.mark == "cordon"))
        project(draft, draft.step(event))
        draft.put(planned)
        return planned


def is_cordoned(world: World, node: int) -> bool:
    """Whether people have cordoned or drained a node; an engine that sends no more work there is another matter."""
    kept = world.directory.get(KIND, world.fleet.node_ids[node])
    return kept is not None and bool(kept.spec["cordoned"])
