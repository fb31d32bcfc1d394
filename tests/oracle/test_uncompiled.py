"""The kernels decide the same as plain Python, and the same as when the golden digests were written.

After a change that is meant to decide otherwise: `python -m tests.oracle.digests --golden`, and say in the commit why.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.oracle.digests import EVENTS, GOLDEN, golden_digests, run_digest

ROOT = Path(__file__).parents[2]
SEEDS = [str(seed) for seed in range(100, 116)]


def test_kernels_run_as_plain_python_decide_the_same() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.oracle.digests", *SEEDS],
        cwd=ROOT,
        env={**os.environ, "GRIDHALL_COMPILE": "0"},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    compiled = {seed: run_digest(int(seed), EVENTS) for seed in SEEDS}
    assert json.loads(done.stdout) == compiled
    assert len(set(compiled.values())) == len(SEEDS)


def test_fixed_runs_decide_as_they_always_did() -> None:
    assert golden_digests() == json.loads(GOLDEN.read_text(encoding="utf-8"))
