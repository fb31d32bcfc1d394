"""Whole numbers that add up: what flows at a constant rate, rounded so that cutting a span never changes its sum.

A flow of `rate / divisor` units a millisecond has passed `floor(rate x t / divisor)` whole units by the time t. A span
gets the difference between its ends, which is within one unit of the exact product; the parts of a span, however it was
cut, telescope to exactly what the whole would have got.
"""


def flow(rate: int, divisor: int, start_ms: int, end_ms: int) -> int:
    """Whole units that flow at `rate / divisor` a millisecond from one time to another."""
    return rate * end_ms // divisor - rate * start_ms // divisor


def part(total: int, whole: tuple[int, int], start_ms: int, end_ms: int) -> int:
    """What falls into a part of a span (`whole`: its start and end) over which `total` is spread evenly."""
    first_ms, length_ms = whole[0], whole[1] - whole[0]
    return total * (end_ms - first_ms) // length_ms - total * (start_ms - first_ms) // length_ms
