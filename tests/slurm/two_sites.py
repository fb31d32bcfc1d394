"""The two Slurm clusters of `examples/two-sites.yaml`, emulated on this host.

`python -m tests.slurm.two_sites SERVER.yaml` starts both, writes the server file that drives them (`gridhall up
examples/two-sites.yaml --config SERVER.yaml`), and keeps them until Ctrl-C. It needs root and `make services`.
"""

import argparse
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import yaml

from tests.slurm.cluster import Cluster, missing, running

SITES = ("lon", "osl")
NODES = 4
EXAMPLES = Path(__file__).parents[2] / "examples"


@contextmanager
def two_sites() -> Iterator[tuple[Cluster, Cluster]]:
    """Both clusters for the length of a block."""
    with running(SITES[0], NODES) as first, running(SITES[1], NODES) as second:
        yield first, second


def write_server_file(path: Path, clusters: Sequence[Cluster]) -> None:
    """The server file for running clusters, with the example's rates."""
    engines = {cluster.name: {"kind": "slurm", **cluster.settings} for cluster in clusters}
    document = {"schema": "server/v1", "rates": str(EXAMPLES / "rates.yaml"), "engines": engines}
    path.write_text(yaml.safe_dump(document, sort_keys=False))


def main() -> None:
    """Keep both until Ctrl-C."""
    parser = argparse.ArgumentParser(description="Two emulated Slurm clusters on this host.")
    parser.add_argument("file", type=Path, help="server file to write")
    asked = parser.parse_args()
    if why := missing():
        sys.exit(why)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with two_sites() as clusters, suppress(KeyboardInterrupt):
        write_server_file(asked.file, clusters)
        print(f"{asked.file} is written; both clusters run until Ctrl-C", flush=True)
        signal.pause()


if __name__ == "__main__":
    main()
