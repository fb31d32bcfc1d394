"""Reading the meters: a row a feed every minute, the queue and the cells once an hour."""

from gridhall.controller.state import ControllerState
from gridhall.engines.twin.meters import MINUTE_MS, close_feed
from gridhall.engines.twin.world import FLEET_WIDTH, POWER_WIDTH, QUEUE_WIDTH, WorldColumns
from gridhall.kernel import kernel

HOUR_MS = 3600000


@kernel
def read_meters(w: ControllerState, v: WorldColumns, time_ms: int) -> bool:
    """Write a row a feed for every minute that has passed, and the hourly tables. False when a buffer is full."""
    while v.minute_ms[0] <= time_ms:
        if v.out_count[2] + v.n_feeds[0] > v.room[2] or v.out_count[3] + 1 > v.room[3]:
            return False
        if v.out_count[4] + v.n_cells[0] > v.room[4]:
            return False
        at = v.minute_ms[0]
        for place in range(v.n_feeds[0]):
            feed = v.feeds[place]
            mean_w = close_feed(v, feed, at) // MINUTE_MS
            if v.minutes_on[0] == 1:
                base = v.out_count[2] * POWER_WIDTH
                v.out_count[2] += 1
                v.out_power[base] = at - MINUTE_MS
                v.out_power[base + 1] = feed
                v.out_power[base + 2] = mean_w
                v.out_power[base + 3] = w.power_committed_w[feed]
        if at >= v.hour_ms[0]:
            write_hour(w, v, at)
            v.hour_ms[0] += HOUR_MS
        v.minute_ms[0] += MINUTE_MS
    return True


@kernel
def write_hour(w: ControllerState, v: WorldColumns, time_ms: int) -> None:
    """The queue by reason and every cell's GPUs, once an hour."""
    base = v.out_count[3] * QUEUE_WIDTH
    v.out_count[3] += 1
    for place in range(QUEUE_WIDTH):
        v.out_queue[base + place] = 0
    v.out_queue[base] = time_ms
    v.out_queue[base + 1] = w.queue_length[0]
    for place in range(w.queue_length[0]):
        v.out_queue[base + 2] += w.queue_gpus[place]
        v.out_queue[base + 6 + w.job_reason[w.queue_slot[place]]] += 1
    for cell in range(v.n_cells[0]):
        gpus = v.cell_gpus[cell]
        online = w.cell_nodes_up[cell] * gpus
        down = v.cell_ready_nodes[cell] * gpus - online
        row = v.out_count[4] * FLEET_WIDTH
        v.out_count[4] += 1
        v.out_fleet[row] = time_ms
        v.out_fleet[row + 1] = cell
        v.out_fleet[row + 2] = online
        used = w.cell_used_gpus[cell] + w.cell_shared_milli[cell] // 1000
        v.out_fleet[row + 3] = used
        v.out_fleet[row + 4] = down
        v.out_queue[base + 3] += online
        v.out_queue[base + 4] += used
        v.out_queue[base + 5] += down
