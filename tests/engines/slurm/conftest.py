"""Two real clusters for the whole session: two sites. Every test that asks for one is skipped where Slurm is not."""

from collections.abc import Iterator

import pytest

from tests.slurm.cluster import Cluster, missing, running


def _site(name: str, nodes: int) -> Iterator[Cluster]:
    if why := missing():
        pytest.skip(why)
    with running(name, nodes) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    yield from _site("lon", 8)


@pytest.fixture(scope="session")
def second() -> Iterator[Cluster]:
    yield from _site("osl", 2)
