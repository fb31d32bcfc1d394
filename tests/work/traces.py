"""Reading traces in tests: the examples, the one table of a short trace, and the faults of a bad one."""

from pathlib import Path
from typing import Any

import pytest

from gridhall.errors import InputError
from gridhall.work import JobTable, TraceWorkload, read_jobs
from gridhall.work.readers import Format

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "traces"
MAPPING = EXAMPLES / "jobs.mapping.yaml"


def only(made: TraceWorkload) -> JobTable:
    (table,) = made.chunks()
    return table


def faults(path: Path, kind: Format, **options: Any) -> list[str]:
    with pytest.raises(InputError) as error:
        read_jobs(path, kind, **options)
    return [str(one) for one in error.value.faults]
