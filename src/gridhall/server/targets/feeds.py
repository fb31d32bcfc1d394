"""What a feed can be asked for, in watts at its meter, and what of its draw nobody can shed.

Nothing reads a meter yet: the draw is what the core has committed (idle power of what is up, the full charge of what
runs and does not stand still) times the site's declared PUE.
"""

from dataclasses import dataclass

import numpy as np

from gridhall.energy.targets import FeedMetadata
from gridhall.fleet.arrays import MAX_POWER_PATH
from gridhall.kernel import Ints
from gridhall.scheduling.jobs import RUNNING, STOPPING
from gridhall.server.live.fleet_map import FeedPart
from gridhall.server.live.world import World
from gridhall.work.table import RIGID

MILLI = 1000


@dataclass(frozen=True, slots=True)
class FeedDraw:
    """Watts at a feed's meter: of nodes that are up, of work of the tier rigid, of all other work that goes.

    `paused_w` is not drawn: it is the charge of work that stands still, or was told to.
    """

    idle_w: int
    rigid_w: int
    flexible_w: int
    paused_w: int

    @property
    def floor_w(self) -> int:
        """What the site cannot shed, as far as this controller can."""
        return self.idle_w + self.rigid_w

    @property
    def total_w(self) -> int:
        """All of it."""
        return self.floor_w + self.flexible_w


def draws_of(world: World) -> dict[str, FeedDraw]:
    """The draw of every feed by its id. What hangs from two feeds counts at both, as the core charges it."""
    rigid, others = _running_w(world)
    idle, paused = world.state.view("power_committed_w") - rigid - others, world.state.view("power_told_w")
    kinds = (idle, rigid, others - paused, paused)
    return {
        feed.id: FeedDraw(*(meter_w(world, feed, int(watts[feed.place])) for watts in kinds))
        for feed in world.fleet.feeds.values()
    }


def _running_w(world: World) -> tuple[Ints, Ints]:
    """IT watts above idle of running work at each node of the power graph: the tier rigid, and all others."""
    w, fleet = world.state, world.fleet
    charged = np.zeros((2, len(fleet.arrays.power_limit_w)), dtype=np.int64)
    paths = fleet.arrays.rack_path.reshape(-1, MAX_POWER_PATH)
    running: list[int] = np.flatnonzero(np.isin(w.view("job_state"), (RUNNING, STOPPING))).tolist()
    for slot in running:
        attempt = world.jobs[int(w.job_id[slot])].open_attempt
        places = attempt.places if attempt is not None else ()
        for place in places:
            path = paths[fleet.node_rack[fleet.node_index[place.site, place.node]]]
            charged[int(w.job_tier[slot] != RIGID), path[path >= 0]] += int(w.job_node_w[slot])
    return charged[0], charged[1]


def meter_w(world: World, feed: FeedPart, it_w: int) -> int:
    """Watts at the meter for IT watts below it."""
    return -(-it_w * int(world.fleet.arrays.site_pue_milli[feed.site]) // MILLI)


def it_w(world: World, feed: FeedPart, watts: int) -> int:
    """IT watts that watts at the meter leave room for."""
    return watts * MILLI // int(world.fleet.arrays.site_pue_milli[feed.site])


def metadata_of(world: World, feed: FeedPart, floor_w: int) -> FeedMetadata:
    """What a feed can be asked for, given the floor of its draw.

    `minimum_w` is the floor, or what the fleet file declares as the least where that is more; never above the default.
    """
    most_w = max(1, _limit_w(world, feed))
    default_w = min(most_w, max(1, feed.default_w))
    least_w = min(default_w, max(floor_w, feed.least_w))
    return FeedMetadata(feed_tag=feed.id, minimum_w=least_w, maximum_w=most_w, default_w=default_w)


def _limit_w(world: World, feed: FeedPart) -> int:
    """What the feed's connection allows: as the fleet file says, unless the core was told another limit since."""
    state, place = world.state, feed.place
    now_w = int(state.power_limit_w[place] + state.power_cut_w[place])
    declared = now_w == int(world.fleet.arrays.power_limit_w[place])
    return feed.limit_w if declared else meter_w(world, feed, now_w)
