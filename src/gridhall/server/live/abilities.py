"""What the engines can do, told to the core where it does not know it: `step` asks for nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass

from gridhall.controller.events import ABILITY, CAN_PAUSE
from gridhall.controller.live import row
from gridhall.engines.protocol import Ability, Engine
from gridhall.server.live.draft import Draft
from gridhall.server.live.projection import project
from gridhall.server.live.world import World


@dataclass(frozen=True, slots=True)
class EnginesKnown:
    """The engines, by name, are those that carry out from now on."""

    engines: Mapping[str, Engine]

    def decide(self, draft: Draft) -> None:
        """Tell of every cell whose engine can do more or less than its last one."""
        world = draft.world
        for cell, known in enumerate(world.state.view("cell_ability").tolist()):
            bits = self._bits(world, cell)
            if bits != known:
                project(draft, draft.step(row(ABILITY, draft.now_ms, cell, bits)))

    def _bits(self, world: World, cell: int) -> int:
        site = world.fleet.fleet.sites[int(world.fleet.arrays.cell_site[cell])].id
        engine = self.engines.get(world.engine_of_site.get(site, ""))
        return CAN_PAUSE if engine is not None and Ability.PAUSE in engine.abilities else 0
