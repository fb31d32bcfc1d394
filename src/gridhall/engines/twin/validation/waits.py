"""Waits on seeded traces: our independent schedule simulator against AccaSim 1.1.3 and textbook EASY."""

from gridhall.engines.twin.validation.row import Row
from gridhall.engines.twin.validation.schedules import AccaSimEasy, Rule, easy, fifo, simulate
from gridhall.engines.twin.validation.traces import FRONTIER_DAY, SETH_LIKE, SeededTrace

ACCASIM = "AccaSim 1.1.3, first-fit allocator, run by us on this trace"
TEXTBOOK = "textbook EASY (Lifka 1995), an earlier simulator of ours, written separately"
COMPUTED_BY = "validation.schedules, independent of the scheduler"


def wait_rows() -> list[Row]:
    """Mean wait and makespan for each rule."""
    return [
        *_pair(SETH_LIKE, "FIFO, head blocks", fifo, 14_553.84, 1_356_634, ACCASIM),
        *_pair(SETH_LIKE, "EASY, textbook", easy, 825.5252, 1_356_634, TEXTBOOK),
        *_pair(SETH_LIKE, "EASY, AccaSim's rules", AccaSimEasy(), 792.65, 1_362_623, ACCASIM),
        *_pair(FRONTIER_DAY, "FIFO, head blocks", fifo, 0, 129_863, ACCASIM),
    ]


def _pair(trace: SeededTrace, rule_name: str, rule: Rule, wait_s: float, end_s: int, source: str) -> list[Row]:
    schedule = simulate(trace.draw(), trace.machine_nodes, rule)
    name = f"{trace.title}, {rule_name}"
    rounding = 0.01 / wait_s if wait_s else 0.0
    return [
        _row(f"{name}: mean wait", wait_s, schedule.mean_wait_s, rounding, source),
        _row(f"{name}: makespan", end_s, schedule.makespan_s, 0.0, source),
    ]


def _row(name: str, published: float, ours: float, tolerance: float, source: str) -> Row:
    return Row("Schedules", name, published, ours, "s", tolerance, source, COMPUTED_BY)
