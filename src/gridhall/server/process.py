"""How the server's process is set up: short waits for the interpreter between its threads, rare garbage collections."""

import gc
import sys

SWITCH_S = 0.0005
"""Python's own 5 ms would be added to a submission each time that the writer's thread has the interpreter."""
YOUNG_OBJECTS = 50_000
"""Allocations between two collections; Python's own 700 walks through all jobs again and again."""


def tune_process() -> None:
    """Set both; what lives now (fleet, state, code) lives for ever and is not looked at again."""
    sys.setswitchinterval(SWITCH_S)
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 100)
