"""Small job tables and fleets for the peers' tests."""

from dataclasses import fields

import numpy as np

from gridhall.fleet.arrays import FleetArrays
from gridhall.fleet.synthetic import uniform_fleet
from gridhall.work.table import ANYWHERE, JobTable


def jobs(**columns: list[int]) -> JobTable:
    """A table with the given columns, times in ms; the others as for plain jobs on whole GPUs, allowed anywhere."""
    count = len(columns["gpus"])
    table = {column.name: np.zeros(count, np.int64) for column in fields(JobTable)}
    table["job_id"] = np.arange(count)
    table["gpu_milli"] = np.full(count, 1000)
    table["places"] = np.full(count, ANYWHERE)
    table["hardware"] = np.full(count, ANYWHERE)
    table |= {name: np.array(values, np.int64) for name, values in columns.items()}
    return JobTable(**table)


def nodes(count: int, sites: int = 1) -> FleetArrays:
    """`count` nodes of 4 GPUs at each of some sites, one node a rack."""
    return uniform_fleet(4 * count * sites, shares=(1,) * sites, nodes_per_rack=1, hardware="gb300-nvl72")
