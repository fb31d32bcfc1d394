"""The simulated world: what is true but not known to the core.

True run times, where each attempt has got to, which node runs what, and what everything draws. It answers the core's
effects with events, as a real engine would, and integrates power exactly: between two changes power is constant.

Everything here is simulated, and the run folder says so.
"""

from gridhall.controller.events import EVENT_WIDTH
from gridhall.engines.twin.tables import TABLES
from gridhall.kernel import Columns, column

H_END = 1
H_STOPPED = 2
H_NODE_UP = 3
H_NODE_OUT = 4
H_TICK = 5
H_GIVEN = 6
H_STILL = 7
H_GOES = 8
"""Kinds of future events in the world's heap; GIVEN ones stand in `plan_event`.

At one time the lower kind comes first; failures and arrivals come last.
"""

JOB_FIELDS = TABLES["jobs"]
INTERVAL_FIELDS = TABLES["intervals"]
POWER_FIELDS = TABLES["site_power"]
QUEUE_FIELDS = TABLES["queue"]
FLEET_FIELDS = TABLES["fleet"]
JOB_WIDTH = len(JOB_FIELDS)
INTERVAL_WIDTH = len(INTERVAL_FIELDS)
POWER_WIDTH = len(POWER_FIELDS)
QUEUE_WIDTH = len(QUEUE_FIELDS)
FLEET_WIDTH = len(FLEET_FIELDS)

ENDED = 0
PREEMPTED = 1
NODE_FAILED = 2
HORIZON = 3
TIMED_OUT = 4
"""Why an interval ended."""

L_RESTART = 0
L_CHECKPOINT = 1
L_FAILURE = 2
L_PREEMPT = 3
L_UNFINISHED = 4
L_STILL = 5
LOST_NAMES = ("restart", "checkpoint", "failure", "preemption", "unfinished", "paused")
"""Where allocated GPU time went that was not useful work. `unfinished` is work of attempts open at the end."""


class WorldColumns(Columns):
    """Sizes: slots, chunks, heap, nodes, racks, power, cells, rows (arrivals), faults, out_* (output rows)."""

    # settings
    start_delay_ms = column(1)  # from START to the first useful work
    restart_delay_ms = column(1)  # the same for a second attempt: u0
    stop_delay_ms = column(1)  # from STOP to the checkpoint's first byte
    pause_delay_ms = column(1)  # from PAUSE until the gang stands still
    resume_delay_ms = column(1)  # from RESUME until it goes on
    draw_milli = column(1)  # drawn watts above idle per charged watt, per mille
    minutes_on = column(1)  # write the table of power by the minute
    recording = column(1)
    sites_of_cells = column("cells")
    hw_of_cells = column("cells")
    cell_gpus = column("cells")  # GPUs per node
    cell_idle_w = column("cells")  # per node
    cell_span_w = column("cells")  # per GPU
    cell_of_rack = column("racks")
    rack_first_node = column("racks_1")
    rack_of_node = column("nodes")
    feed_of_rack = column("racks")
    # streams that the driver fills
    in_event = column("rows", EVENT_WIDTH)
    in_duration_ms = column("rows")
    in_outcome = column("rows")
    in_count = column(1)
    in_next = column(1)
    fault_ms = column("faults")
    fault_node = column("faults")
    fault_repair_ms = column("faults")
    fault_count = column(1)
    fault_next = column(1)
    # the truth about each slot
    true_job = column("slots")
    true_total_ms = column("slots")
    true_saved_ms = column("slots")
    true_outcome = column("slots")
    true_checkpoint_ms = column("slots")
    true_cost_ms = column("slots")
    true_power_milli = column("slots")
    true_attempt = column("slots")
    true_running = column("slots")
    true_start_ms = column("slots")
    true_begin_ms = column("slots")
    true_still_ms = column("slots")  # since when the attempt stands still, 0 = it goes
    true_stood_ms = column("slots")  # how long it has stood before that
    true_why = column("slots")
    true_cell = column("slots")
    true_nodes = column("slots")
    true_gpus = column("slots")  # allocated, wholly or in part
    true_gpu_milli = column("slots")  # share of each
    true_node_w = column("slots")  # drawn above idle, per node
    true_chunk = column("slots")
    true_new_saved_ms = column("slots")
    told_project = column("slots")
    told_user = column("slots")
    told_priority = column("slots")
    told_tier = column("slots")
    told_gpus = column("slots")
    told_submit_ms = column("slots")
    sum_first_ms = column("slots")
    sum_allocated = column("slots")
    sum_work = column("slots")
    sum_restarts = column("slots")
    sum_preemptions = column("slots")
    sum_wms = column("slots")  # W x ms, attempts closed so far, in joules and a remainder
    sum_joules = column("slots")
    last_racks = column("slots")
    last_level = column("slots")
    piece_rack = column("chunks")
    piece_mask = column("chunks")
    piece_next = column("chunks")
    piece_free = column(1)
    node_slot = column("nodes")  # slot + 1 of the gang that has the whole node
    node_on = column("nodes")
    node_jobs = column("nodes")  # attempts that it works for
    node_gone = column("nodes")  # 1 = retired: off as soon as it works for nobody
    # what is to come
    heap_ms = column("heap")
    heap_kind = column("heap")
    heap_a = column("heap")
    heap_b = column("heap")
    heap_count = column(1)
    plan_event = column("planned", EVENT_WIDTH)  # reservations, targets and abilities, by number
    # power
    rack_w = column("racks")
    rack_since_ms = column("racks")
    rack_wms = column("racks")
    feed_w = column("power")
    feed_since_ms = column("power")
    feed_acc = column("power")  # W x ms within this minute
    feed_joules = column("power")
    feed_rest = column("power")
    feeds = column("power")  # the feeds' power nodes, packed
    n_feeds = column(1)
    n_cells = column(1)
    n_racks = column(1)
    cell_ready_nodes = column("cells")  # nodes that have come on line for the first time and are not retired
    minute_ms = column(1)  # end of the minute at hand
    hour_ms = column(1)
    # sums
    online_gpus = column(1)
    online_since_ms = column(1)
    online_gpu_ms = column(1)
    lost_gpu_ms = column(len(LOST_NAMES))
    work_gpu_ms = column(1)
    allocated_gpu_ms = column(1)
    job_joules = column(1)
    state_jobs = column(8)
    submitted = column(1)
    faults_hit = column(1)
    steps = column(1)
    # output buffers and the recording
    out_jobs = column("out_jobs", len(JOB_FIELDS))
    out_intervals = column("out_intervals", len(INTERVAL_FIELDS))
    out_power = column("out_power", len(POWER_FIELDS))
    out_queue = column("out_queue", len(QUEUE_FIELDS))
    out_fleet = column("out_fleet", len(FLEET_FIELDS))
    out_count = column(5)
    record = column("record", EVENT_WIDTH)
    record_count = column(1)
    room = column(8)  # capacity of: jobs, intervals, power, queue, fleet, record, heap, slots
