"""Runs every benchmark, one after the other, each in a process of its own: `python -m benchmarks [NAME ...]`."""

import subprocess
import sys

NAMES = ("placement", "goodput", "fragmentation", "queue", "tradeoff", "year", "energy_bill", "restart", "api", "slurm")


def main(names: list[str]) -> int:
    """Run the named benchmarks, or all; the exit code is the number of those that failed."""
    failed: list[str] = []
    for name in names or NAMES:
        print(f"== benchmarks.{name}", flush=True)
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"]).returncode:
            failed.append(name)
    if failed:
        print(f"failed: {', '.join(failed)}")
    return len(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
