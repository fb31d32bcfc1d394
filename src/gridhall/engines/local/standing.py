"""Pausing an attempt: its shim is told by a record and a signal, and answers with a record.

The record tells what is wanted last, so a shim that has not begun its ranks yet, or a telling that comes twice, does no
harm, and a new server finds what stands.
"""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

from gridhall.engines.local import folder
from gridhall.engines.local.shim import paper
from gridhall.engines.protocol import AttemptKey, EngineFault, Paused, Resumed

ANSWER_S = 5.0
"""How long a shim may take to answer."""
LOOK_S = 0.01

Spans = Sequence[Sequence[int]]
"""Pauses, each from ms UTC until ms UTC, 0 = it lasts."""


def tell(record: Path, still: bool) -> None:
    """Write down what is wanted and wake the shim; one that has no state yet looks for it when it has."""
    state = paper.read_or_none(str(record), "state.json")
    if state and not state.get("can_pause"):
        raise EngineFault("it was started by an earlier version of Gridhall, whose gangs can be stopped but not paused")
    paper.write(str(record), "pause.json", {"still": still})
    state = state or paper.read_or_none(str(record), "state.json")
    if state and folder.held(record):
        with contextlib.suppress(ProcessLookupError):
            os.kill(state["shim"]["pid"], signal.SIGUSR1)


async def reached(key: AttemptKey, record: Path, still: bool) -> Paused | Resumed | None:
    """The answer when the gang stands as it was told; None when it is gone. Raises EngineFault when neither comes."""
    end_s = time.monotonic() + ANSWER_S
    while time.monotonic() < end_s:
        stands = report(key, record)
        if isinstance(stands, Paused if still else Resumed):
            return stands
        if (record / "stop.json").exists() or not folder.held(record):
            return None
        await asyncio.sleep(LOOK_S)
    raise EngineFault(f"the parent process of the gang has not answered for {ANSWER_S:.0f} s")


def report(key: AttemptKey, record: Path) -> Paused | Resumed | None:
    """How the gang stands by its shim's last answer; None when it was never told."""
    said = paper.read_or_none(str(record), "pauses.json")
    return None if said is None else (Paused if said["still"] else Resumed)(key, said["time_ms"])


def spans(record: Path) -> Spans:
    """The pauses of an attempt by its shim's last answer."""
    return (paper.read_or_none(str(record), "pauses.json") or {"spans": ()})["spans"]


def paused_ms(spans: Spans, until_ms: int) -> int:
    """How long it had stood still in all at a time."""
    return sum(max(0, min(until or until_ms, until_ms) - since) for since, until in spans)
