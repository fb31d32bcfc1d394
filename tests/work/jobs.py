"""Job tables written by hand."""

from dataclasses import fields

import numpy as np

from gridhall.work import ANYWHERE, JobTable


def jobs(submit_ms: list[int], **columns: list[int]) -> JobTable:
    """A table with the given columns; one whole GPU anywhere, and zeros, elsewhere."""
    count = len(submit_ms)
    fill = {"gpus": 1, "gpu_milli": 1000, "places": ANYWHERE, "hardware": ANYWHERE}
    plain = {column.name: np.full(count, fill.get(column.name, 0), np.int64) for column in fields(JobTable)}
    given = {name: np.array(values, np.int64) for name, values in columns.items()}
    return JobTable(**{**plain, "job_id": np.arange(count), "submit_ms": np.array(submit_ms, np.int64), **given})
