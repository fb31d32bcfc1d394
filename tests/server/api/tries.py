"""How the authorisation test tries each operation: what a request needs beyond its path.

An operation that is new is tried as it is. Where it has a body or parameters without which it is no valid request, they
are named here; ids in its path are those of `Place.ids`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Place:
    """A project of an organisation with one object of every kind, by the name of the path's parameter."""

    organisation: str
    project: str
    ids: dict[str, str]


Part = Callable[[Place], dict[str, Any]]

AT_ORGANISATION = ("organisation", "user", "service-account", "role-binding", "token", "audit")
"""Kinds whose objects belong to an organisation and to none of its projects."""
OF_SYSTEM = ("POST /v1/organisations",)
"""Operations that need their right on the system itself, whatever they are about."""

BODIES: dict[str, Part] = {
    "POST /v1/organisations": lambda place: {"name": "another"},
    "PUT /v1/organisations/{organisation}": lambda place: {"name": f"new name of {place.organisation}"},
    "POST /v1/projects": lambda place: {"name": "another", "organisation": place.organisation},
    "PUT /v1/projects/{project}": lambda place: {"name": f"new name of {place.project}"},
    "PUT /v1/quotas/{quota}": lambda place: {"spec": {"gpus": 1}},
    "PUT /v1/budgets/{budget}": lambda place: {"spec": {"limit_micro": 1}},
    "POST /v1/users": lambda place: {"name": "another", "organisation": place.organisation},
    "PUT /v1/users/{user}": lambda place: {"name": "other"},
    "POST /v1/service-accounts": lambda place: {"name": "another", "organisation": place.organisation},
    "PUT /v1/service-accounts/{service_account}": lambda place: {"name": "other"},
    "POST /v1/role-bindings": lambda place: {
        "organisation": place.organisation,
        "spec": {"principal": place.ids["user"], "role": "reader"},
    },
    "POST /v1/jobs": lambda place: _job(place),
    "POST /v1/jobs:batch": lambda place: {"jobs": [_job(place)]},
    "POST /v1/fit": lambda place: {"jobs": [_job(place)]},
    "POST /v1/reservations": lambda place: {"project": place.project, "spec": {"nodes": 1, "until_ms": _in_an_hour()}},
    "POST /v1/nodes/{node}:cordon": lambda place: {"note": "a fan is loud"},
    "POST /v1/nodes/{node}:uncordon": lambda place: {},
    "POST /v1/nodes/{node}:drain": lambda place: {},
    "POST /v1/load-targets": lambda place: {
        "interval": {"start_time": "2026-01-01T00:00:00Z"},
        "load_constraint": {"value": 900, "unit": "kW"},
        "feed_tags": [place.ids["feed"]],
    },
    "POST /v1/tokens": lambda place: {"principal": place.ids["user"]},
}


def _in_an_hour() -> int:
    return time.time_ns() // 1_000_000 + 3_600_000


def _job(place: Place) -> dict[str, Any]:
    return {"project": place.project, "spec": {"command": ["true"]}}


PARAMETERS: dict[str, Part] = {
    "GET /v1/focus.csv": lambda place: {"project": place.project},
    "GET /v1/ledger/proof": lambda place: {"entry": 0},
    "GET /v1/ledger/consistency": lambda place: {"old": 1, "size": 1},
    "DELETE /v1/tokens": lambda place: {"principal": place.ids["user"]},
    "GET /v1/tokens": lambda place: {"principal": place.ids["user"]},
}
ANSWERS = {"DELETE /v1/organisations/{organisation}": 409, "DELETE /v1/projects/{project}": 409}
"""What those get who may, where it is not 2xx: projects and jobs are in the way."""
