"""What is asked? Jobs, from whatever source, as columns in order of submission.

A `Workload` (table.py) is a stream of job tables and the names behind their indexes. It comes from one of two places:

- `generate` makes one: a `Profile` states laws calibrated to published marginals (profiles.py), the fit makes them
  definite for a fleet, a span and a load (fitting.py), and chunks of jobs are made from counter-based random words
  (making.py, draws.py, people.py).
- `read_jobs` reads one (readers/): an operator's own accounting dump, or a public trace. `gridhall.work.catalogue`
  knows where public traces are and fetches them.

`describe` states the marginals of any workload, beside the published ones where there are any.
`predictability.py` holds the generator to how much a job's name tells of its run time.
"""

from gridhall.work.describe import Description, describe
from gridhall.work.generator import SyntheticWorkload, generate
from gridhall.work.profiles import PROFILES, Profile, profile
from gridhall.work.readers import FORMATS, TraceWorkload, read_jobs
from gridhall.work.table import ANYWHERE, OUTCOMES, TIERS, JobTable, Workload

__all__ = [
    "ANYWHERE",
    "FORMATS",
    "OUTCOMES",
    "PROFILES",
    "TIERS",
    "Description",
    "JobTable",
    "Profile",
    "SyntheticWorkload",
    "TraceWorkload",
    "Workload",
    "describe",
    "generate",
    "profile",
    "read_jobs",
]
