"""Another policy or other quotas for a state under way, from its next event on: what a fork changes."""

import numpy as np

from gridhall.controller.state import ControllerState, fill_tenancy
from gridhall.controller.tenants import recharge
from gridhall.kernel import kernel, state_cast
from gridhall.scheduling.policy import Policy
from gridhall.tenancy import Tenancy


def revise(w: ControllerState, tenancy: Tenancy, policy: Policy) -> None:
    """Take over weights, quotas and the policy's numbers; nothing that runs is stopped for it.

    The shared pool's numbers stay as they were. Raises ValueError when organisations or projects are other ones than
    before: their use so far belongs to them.
    """
    shape = (len(tenancy.projects), len(tenancy.organisations))
    owners = tenancy.project_organisation()
    now = w.project_org[: int(w.n_projects[0])]
    if shape != (len(now), int(w.n_organisations[0])) or not np.array_equal(owners, now):
        raise ValueError("the organisations and projects are not those that the state was made for")
    fill_tenancy(w, tenancy)
    charge_again(w.handle)
    numbers = policy.numbers()
    w.policy[: len(numbers)] = numbers
    w.cell_spares[:] = policy.spares(w.cell_nodes_all[:])


as_controller = state_cast(ControllerState)


@kernel
def charge_again(address: int) -> None:
    """Entry for Python: `recharge` on a handle."""
    recharge(as_controller(address))
