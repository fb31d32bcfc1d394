"""What is asked? Jobs, from whatever source, as columns in order of submission.

A `Workload` (table.py) is a stream of job tables and the names behind their indexes. It comes from one of two places:

- `generate` makes one: a `Profile` states laws calibrated to published marginals (profiles.py), the fit makes them
  definite for a fleet, a span and a load (fitting.py), and chunks of jobs are made from counter-based random words
  (making.py, draws.py, people.py).
- `readers` read one: an operator's own accounting dump, or a public trace; `catalogue` knows where those are.

`describe` states the marginals of any workload, beside the published ones where there are any.
"""

from gridhall.work.generator import SyntheticWorkload, generate
from gridhall.work.profiles import PROFILES, Profile, profile
from gridhall.work.table import ANYWHERE, OUTCOMES, TIERS, JobTable, Workload

__all__ = [
    "ANYWHERE",
    "OUTCOMES",
    "PROFILES",
    "TIERS",
    "JobTable",
    "Profile",
    "SyntheticWorkload",
    "Workload",
    "generate",
    "profile",
]
