"""Who asks, and how much may they? Organisations, their projects, weights for fair share, and quotas on GPUs.

`Tenancy` is the edge: names and numbers as a file or a generator gives them. `quota` has the kernels that count against
the compiled tree (root, organisations, projects), `tree` makes it anew when a quota changes, `ceilings` has the hard
limits beside it.
"""

from gridhall.tenancy.model import Organisation, Project, QuotaTree, Tenancy, even_tenancy

__all__ = ["Organisation", "Project", "QuotaTree", "Tenancy", "even_tenancy"]
