"""The application: routes, problems and the edge around a running service."""

import logging
from importlib.metadata import version

from fastapi import FastAPI

from gridhall.server.api.denials import Denials
from gridhall.server.api.desk import Desk
from gridhall.server.api.edge import Edge
from gridhall.server.api.openapi import openapi_of
from gridhall.server.api.problem import tell_problems
from gridhall.server.api.routes import (
    attempts,
    audit,
    budgets,
    charges,
    events,
    evidence,
    feeds,
    fit,
    halls,
    health,
    jobs,
    ledger,
    load_targets,
    metrics,
    nodes,
    organisations,
    projects,
    queues,
    quotas,
    racks,
    reservations,
    roles,
    service_accounts,
    sites,
    tokens,
    topology,
    usage,
    users,
)
from gridhall.server.identity.register import Register
from gridhall.server.live.service import Service
from gridhall.server.metrics import open_metrics
from gridhall.server.queries.feed import open_feed
from gridhall.server.views.queues import QueueCounts
from gridhall.server.views.topology import WholeTopology

log = logging.getLogger("gridhall.api")

NOUNS = (
    attempts,
    audit,
    budgets,
    charges,
    events,
    evidence,
    feeds,
    fit,
    halls,
    health,
    jobs,
    ledger,
    load_targets,
    metrics,
    nodes,
    organisations,
    projects,
    queues,
    quotas,
    racks,
    reservations,
    roles,
    service_accounts,
    sites,
    tokens,
    topology,
    usage,
    users,
)


def make_app(service: Service, register: Register) -> FastAPI:
    """The API over a running service. `register` is `await open_register(service)`."""
    app = FastAPI(
        title="Gridhall",
        version=version("gridhall"),
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # asked for at every request otherwise
    )
    desk = Desk(service, register, Denials(service))
    app.state.desk = desk
    service.on_rebuilt.append(desk.begin_again)
    app.state.metrics = open_metrics(service)
    app.state.feed = open_feed(service)
    app.state.topology = WholeTopology(service.world)
    app.state.queues = QueueCounts()
    app.openapi = lambda: openapi_of(app)
    for noun in (jobs, *(each for each in NOUNS if each is not jobs)):  # routes are tried in order
        app.router.routes.extend(noun.router.routes)
    tell_problems(app)
    app.add_middleware(Edge, register=register, refused=desk.denials.stranger)  # pyright: ignore[reportArgumentType]
    return app
