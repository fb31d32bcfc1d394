"""Every table. Times are integer ms UTC, texts of tenants are only in `job.spec` and `resource.spec`."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text

metadata = MetaData()

# --- the log and what belongs to it ---------------------------------------------------------------------------------

entry = Table(
    "entry",
    metadata,
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
)
tile = Table(
    "tile",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False),
)
checkpoint = Table(
    "checkpoint",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
)
snapshot = Table(
    "snapshot",
    metadata,
    Column("entries", BigInteger, primary_key=True, autoincrement=False),  # the state after so many entries
    Column("time_ms", BigInteger, nullable=False),
    Column("kernels", String(64), nullable=False),
    Column("state_hash", String(64), nullable=False),
    Column("about", Text, nullable=False),
    Column("columns", LargeBinary, nullable=False),
)
leader = Table(
    "leader",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("epoch", BigInteger, nullable=False),
    Column("holder", Text, nullable=False),
    Column("beat_ms", BigInteger, nullable=False),
)
outbox = Table(
    "outbox",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("job", BigInteger, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("kind", String(16), nullable=False),  # start, pause, resume, stop, forget
    Column("engine", String(64), nullable=False),
    Column("body", Text, nullable=False),
)

# --- work -----------------------------------------------------------------------------------------------------------

job = Table(
    "job",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),  # the core's name for it
    Column("id", String(40), nullable=False, unique=True),
    Column("organisation", String(40), nullable=False),
    Column("project", String(40), nullable=False),
    Column("user", String(40), nullable=False),
    Column("name", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Integer, nullable=False),  # scheduling.jobs.R_*: why it was refused; of waiting jobs see the state
    Column("submit_ms", BigInteger, nullable=False),
    Column("start_ms", BigInteger, nullable=False),  # of its first attempt, 0 = not yet
    Column("end_ms", BigInteger, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("restarts", Integer, nullable=False),
    Column("exit_code", Integer),
    Column("saved_ms", BigInteger, nullable=False),
    Column("slot", BigInteger, nullable=False),  # -1 = the core does not hold it any more
    Column("version", Integer, nullable=False),
    Column("entry", BigInteger, nullable=False),  # of its submission in the log
    Column("salt", LargeBinary, nullable=False),
    Column("spec", Text, nullable=False),
    Index("job_of_project", "project", "number"),
    Index("job_of_project_and_state", "project", "state", "number"),
    Index("job_of_project_and_name", "project", "name", "number"),
    Index("job_of_organisation", "organisation", "number"),
    Index("job_of_organisation_and_state", "organisation", "state", "number"),
    Index("job_of_state", "state", "number"),
    Index("job_of_user", "user", "number"),
    Index("job_of_name", "name", "number"),
)
attempt = Table(
    "attempt",
    metadata,
    Column("job", BigInteger, primary_key=True, autoincrement=False),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("cell", Integer, nullable=False),
    Column("places", Text, nullable=False),
    Column("gpu_milli", Integer, nullable=False),
    Column("watts", BigInteger, nullable=False),  # above idle, charged to the power graph for the whole gang
    Column("decided_ms", BigInteger, nullable=False),
    Column("started_ms", BigInteger, nullable=False),  # when an engine saw it running, 0 = not yet
    Column("ended_ms", BigInteger, nullable=False),  # when its nodes fell free, 0 = not yet
    Column("outcome", Text, nullable=False),
    Column("exit_code", Integer),
    Column("units", Integer, nullable=False),  # GPUs on each node; units of allocation where it has none
    Column("swapped", Boolean, nullable=False),  # it goes on in place of an attempt that lost a node
    Column("pause", String(8), nullable=False),  # "", pausing, paused, resuming
    Column("pause_feed", Integer, nullable=False),  # power node of the feed whose load target asked for it, -1 = none
    Column("epoch", BigInteger, nullable=False),
    Column("entry", BigInteger, nullable=False),  # of the decision to start it
    Column("end_entry", BigInteger, nullable=False),
)
interval = Table(
    "interval",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("job", BigInteger, nullable=False),
    Column("organisation", String(40), nullable=False),
    Column("project", String(40), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("site", Text, nullable=False),
    Column("country", String(2), nullable=False),
    Column("sku", Text, nullable=False),
    Column("tier", String(24), nullable=False),
    Column("state", String(16), nullable=False),
    Column("start_ms", BigInteger, nullable=False),
    Column("end_ms", BigInteger, nullable=False),
    Column("gpu_milli", BigInteger, nullable=False),
    Column("gpu_milli_ms", BigInteger, nullable=False),
    Column("draw_w", BigInteger, nullable=False),
    Column("cause", String(16), nullable=False),
    Column("energy_mj", BigInteger, nullable=False),
    Column("energy_basis", String(16), nullable=False),
    Column("carbon_mg", BigInteger, nullable=False),
    Column("carbon_basis", String(16), nullable=False),
    Index("interval_of_project", "project", "end_ms", "id"),
    Index("interval_of_organisation", "organisation", "end_ms", "id"),
    Index("interval_by_end", "end_ms", "id"),
    Index("interval_of_job", "job"),
)

# --- everything else that has metadata, spec and status -------------------------------------------------------------

resource = Table(
    "resource",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("kind", String(24), nullable=False),  # organisation, project, user, service-account, role-binding, ...
    Column("number", BigInteger, nullable=False),  # the core's index of organisations, projects, reservations; else 0
    Column("organisation", String(40), nullable=False),  # "" = of the whole system
    Column("project", String(40), nullable=False),  # "" = not of one project
    Column("name", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("created_by", String(80), nullable=False),
    Column("modified_ms", BigInteger, nullable=False),
    Column("deleted_ms", BigInteger, nullable=False),  # 0 = there
    Column("version", Integer, nullable=False),
    Column("spec", Text, nullable=False),
    Column("status", Text, nullable=False),
    Index("resource_of_kind", "kind", "organisation", "project"),
)
token = Table(
    "token",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("secret_sha256", String(64), nullable=False, unique=True),
    Column("principal", String(80), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("revoked_ms", BigInteger, nullable=False),
    Index("token_by_end", "expires_ms"),
)
idempotency = Table(
    "idempotency",
    metadata,
    Column("principal", String(80), primary_key=True),
    Column("key", String(128), primary_key=True),
    Column("request_sha256", String(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("answer", Text, nullable=False),
    Column("time_ms", BigInteger, nullable=False),  # of the wall clock, as those of tokens
    Index("idempotency_by_time", "time_ms"),
)
audit = Table(
    "audit",
    metadata,
    Column("entry", BigInteger, primary_key=True, autoincrement=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("principal", String(80), nullable=False),
    Column("organisation", String(40), nullable=False),
    Column("project", String(40), nullable=False),
    Column("verb", String(24), nullable=False),
    Column("kind", String(24), nullable=False),
    Column("object", String(80), nullable=False),
    Column("result", Text, nullable=False),
    Column("address", Text, nullable=False),
    Index("audit_of_organisation", "organisation", "entry"),
)
