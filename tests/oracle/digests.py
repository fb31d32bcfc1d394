"""Digests of whole random runs: the same when compiled and when not, and kept for three fixed runs in `golden.json`.

python -m tests.oracle.digests SEED ...    prints {seed: digest of all effects} for these seeds
python -m tests.oracle.digests --golden    writes golden.json anew, after a change that is meant to decide otherwise
"""

import json
import sys
from pathlib import Path
from random import Random
from zlib import crc32

from gridhall.controller import events as ev
from gridhall.controller.record import effect_digest
from gridhall.controller.state import new_state
from tests.oracle.cases import random_case
from tests.oracle.pair import run_compiled
from tests.oracle.world import World

GOLDEN = Path(__file__).with_name("golden.json")
GOLDEN_SEEDS = (3, 24, 40)
"""Runs in which quota, mask, watts, pre-emption, failure, swap, reservation and back-fill all decided something."""
GOLDEN_EVENTS = 2000
EVENTS = 150


def run_digest(seed: int, events: int, replaced: float | None = None) -> str:
    """The digest of all effects of one random run, and of the events that answered them."""
    case = random_case(Random(seed), replaced)
    world, w = World(case, Random(seed + 1)), new_state(case.fleet, case.tenancy, case.policy, slots=2048)
    told = 0
    while events > 0 and (event := world.next_event()) is not None:
        world.carry_out(run_compiled(w, event))
        events -= event[0] != ev.NODE_UP
        told = crc32(repr(event).encode(), told)
    return f"{effect_digest(w)}-{told:08x}"


def golden_digests() -> dict[str, str]:
    """The digests of the fixed runs as they are now; they depend on no number of the shipped policy."""
    return {str(seed): run_digest(seed, GOLDEN_EVENTS, replaced=1.0) for seed in GOLDEN_SEEDS}


def main(arguments: list[str]) -> None:
    """Print or write digests, as asked."""
    if arguments == ["--golden"]:
        GOLDEN.write_text(json.dumps(golden_digests(), indent=1) + "\n", encoding="utf-8")
    else:
        print(json.dumps({seed: run_digest(int(seed), EVENTS) for seed in arguments}))


if __name__ == "__main__":
    main(sys.argv[1:])
