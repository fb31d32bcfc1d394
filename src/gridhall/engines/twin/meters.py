"""Power and energy in the simulated world: exact between changes, read out by the minute."""

from gridhall.engines.twin.world import WorldColumns
from gridhall.kernel import kernel

MINUTE_MS = 60000


@kernel
def add_watts(v: WorldColumns, rack: int, watts: int, time_ms: int) -> None:
    """A rack draws more (or less) from now on; close its segment and its feed's."""
    v.rack_wms[rack] += v.rack_w[rack] * (time_ms - v.rack_since_ms[rack])
    v.rack_since_ms[rack] = time_ms
    v.rack_w[rack] += watts
    feed = v.feed_of_rack[rack]
    v.feed_acc[feed] += v.feed_w[feed] * (time_ms - v.feed_since_ms[feed])
    v.feed_since_ms[feed] = time_ms
    v.feed_w[feed] += watts


@kernel
def close_feed(v: WorldColumns, feed: int, time_ms: int) -> int:
    """Close a feed's segment; its W x ms since the last close."""
    total = v.feed_acc[feed] + v.feed_w[feed] * (time_ms - v.feed_since_ms[feed])
    v.feed_acc[feed] = 0
    v.feed_since_ms[feed] = time_ms
    joules = (total + v.feed_rest[feed]) // 1000
    v.feed_rest[feed] += total - joules * 1000
    v.feed_joules[feed] += joules
    return total


@kernel
def count_online(v: WorldColumns, gpus: int, time_ms: int) -> None:
    """GPUs come on line or are lost; close the segment of GPUs on line."""
    v.online_gpu_ms[0] += v.online_gpus[0] * (time_ms - v.online_since_ms[0])
    v.online_since_ms[0] = time_ms
    v.online_gpus[0] += gpus


@kernel
def switch_node(v: WorldColumns, node: int, on: int, time_ms: int) -> None:
    """A node is on (1) or off (0) from now on: its idle watts and its GPUs count or not."""
    if v.node_on[node] == on:
        return
    v.node_on[node] = on
    rack = v.rack_of_node[node]
    cell = v.cell_of_rack[rack]
    sign = 1 if on == 1 else -1
    add_watts(v, rack, sign * v.cell_idle_w[cell], time_ms)
    count_online(v, sign * v.cell_gpus[cell], time_ms)
