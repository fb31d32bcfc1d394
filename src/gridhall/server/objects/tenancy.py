"""Organisations, projects, and how much they may have: quotas and budgets."""

from typing import Annotated, Literal

from pydantic import Field

from gridhall.server.objects.part import Id, Metadata, Name, Part

Weight = Annotated[int, Field(ge=1, le=1_000_000)]
Amount = Annotated[int, Field(ge=0, le=1 << 40)]


class TenantSpec(Part):
    """`weight` is the share beside others of the same level when GPUs are short."""

    weight: Weight = 100


class TenantStatus(Part):
    """`number` is the index in the core and in the ledger's events; `live_jobs` wait, start, run or stop now."""

    number: int
    live_jobs: int


class OrganisationRequest(Part):
    """An organisation as it is wanted."""

    name: Name
    spec: TenantSpec = TenantSpec()


class Organisation(Part):
    """An organisation as it is read."""

    metadata: Metadata
    spec: TenantSpec
    status: TenantStatus


class ProjectRequest(Part):
    """A project as it is wanted, of an organisation (empty = the caller's own)."""

    name: Name
    organisation: Id | Literal[""] = ""
    spec: TenantSpec = TenantSpec()


class ProjectChange(Part):
    """A project as it is wanted from now on; it stays in its organisation."""

    name: Name
    spec: TenantSpec = TenantSpec()


class Project(Part):
    """A project as it is read."""

    metadata: Metadata
    spec: TenantSpec
    status: TenantStatus


class QuotaSpec(Part):
    """`gpus` are its own. It borrows up to `borrow_gpus` more while others leave theirs, and lends up to `lend_gpus`.

    None = without limit. `hardware_gpus` and `kilowatts` are hard limits beside that: GPUs of a hardware type, and the
    power that running work is charged above idle.
    """

    gpus: Amount = 0
    borrow_gpus: Amount | None = None
    lend_gpus: Amount | None = None
    hardware_gpus: dict[Id, Amount] = Field(default_factory=dict[str, int], max_length=64)
    kilowatts: Annotated[int, Field(ge=0, le=1 << 30)] | None = None


class QuotaStatus(Part):
    """What is in use now."""

    used_gpus: int
    used_hardware_gpus: dict[str, int]
    used_kilowatts: float


class QuotaRequest(Part):
    """A quota as it is wanted from now on."""

    spec: QuotaSpec


class Quota(Part):
    """The quota of an organisation or a project; each has exactly one."""

    metadata: Metadata
    spec: QuotaSpec
    status: QuotaStatus


Standing = Literal["open", "warned", "blocked", "preempt"]


class BudgetSpec(Part):
    """Money for a calendar month (UTC), in micro-units of the rate book's currency; None = without limit.

    At `warn_percent` of it people are warned; `at_limit` says what happens when it is spent: a warning more, nothing
    new starts, or work that may be stopped is stopped as well.
    """

    limit_micro: Annotated[int, Field(ge=0, le=1 << 53)] | None = None
    warn_percent: int = Field(default=80, ge=1, le=100)
    at_limit: Literal["warn", "block", "pre-empt"] = "block"


class BudgetStatus(Part):
    """Where it stands, since when (0 = always), and what was spent this month then."""

    standing: Standing
    spent_micro: int
    since_ms: int


class BudgetRequest(Part):
    """A budget as it is wanted from now on."""

    spec: BudgetSpec


class Budget(Part):
    """The budget of an organisation or a project; each has exactly one."""

    metadata: Metadata
    spec: BudgetSpec
    status: BudgetStatus
