"""What is to come: a heap of planned events, in an order without ties."""

from gridhall.engines.twin.world import WorldColumns
from gridhall.kernel import kernel, state_cast

as_world = state_cast(WorldColumns)


@kernel
def plan(v: WorldColumns, time_ms: int, kind: int, a: int, b: int) -> None:
    """Something will happen at a time."""
    at = v.heap_count[0]
    v.heap_count[0] = at + 1
    v.heap_ms[at] = time_ms
    v.heap_kind[at] = kind
    v.heap_a[at] = a
    v.heap_b[at] = b
    while at > 0 and comes_before(v, at, (at - 1) >> 1):
        swap_entries(v, at, (at - 1) >> 1)
        at = (at - 1) >> 1


@kernel
def plan_entry(world: int, time_ms: int, kind: int, a: int, b: int) -> None:
    """Entry for the driver: something will happen at a time."""
    plan(as_world(world), time_ms, kind, a, b)


@kernel
def drop_first(v: WorldColumns) -> None:
    """Remove the heap's first entry."""
    last = v.heap_count[0] - 1
    v.heap_count[0] = last
    swap_entries(v, 0, last)
    at = 0
    while True:
        child = 2 * at + 1
        if child >= last:
            return
        if child + 1 < last and comes_before(v, child + 1, child):
            child += 1
        if not comes_before(v, child, at):
            return
        swap_entries(v, at, child)
        at = child


@kernel
def comes_before(v: WorldColumns, one: int, other: int) -> bool:
    """The order of two planned events: time, kind, then what they are about."""
    if v.heap_ms[one] != v.heap_ms[other]:
        return v.heap_ms[one] < v.heap_ms[other]
    if v.heap_kind[one] != v.heap_kind[other]:
        return v.heap_kind[one] < v.heap_kind[other]
    if v.heap_a[one] != v.heap_a[other]:
        return v.heap_a[one] < v.heap_a[other]
    return v.heap_b[one] < v.heap_b[other]


@kernel
def swap_entries(v: WorldColumns, one: int, other: int) -> None:
    """Exchange two entries of the heap."""
    v.heap_ms[one], v.heap_ms[other] = v.heap_ms[other], v.heap_ms[one]
    v.heap_kind[one], v.heap_kind[other] = v.heap_kind[other], v.heap_kind[one]
    v.heap_a[one], v.heap_a[other] = v.heap_a[other], v.heap_a[one]
    v.heap_b[one], v.heap_b[other] = v.heap_b[other], v.heap_b[one]
