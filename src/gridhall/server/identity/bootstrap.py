"""The first start: an organisation, a project and a user who may do everything, so that there is somebody to ask."""

from dataclasses import dataclass

from gridhall.server.identity.tokens import IssueToken, Token, new_token
from gridhall.server.live.draft import Draft
from gridhall.server.live.service import FIRST_TENANCY, Service
from gridhall.server.live.world import Resource
from gridhall.units import HOUR_MS

HOME = FIRST_TENANCY.organisations[0].name
DEFAULT = FIRST_TENANCY.projects[0].name
ADMIN = "admin"
LIFE_MS = 24 * HOUR_MS


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """In a new store organisation 0, its project 0 and the user `admin` come to be; `admin` gets a token."""

    token: Token

    def decide(self, draft: Draft) -> None:
        """Write them, unless there was ever an organisation."""
        if next(draft.world.directory.all("organisation", deleted=True), None) is None:
            for resource in _first(draft.now_ms):
                draft.put(resource)
        IssueToken(self.token).decide(draft)


async def bootstrap(service: Service, wall_ms: int) -> str:
    """Make organisation, project and user in a new store; a token for `admin`, good for a day."""
    token, secret = new_token(ADMIN, LIFE_MS, wall_ms)
    await service.loop.happen(Bootstrap(token))
    return secret


def _first(now_ms: int) -> list[Resource]:
    def made(kind: str, id: str, organisation: str, project: str = "", **spec: object) -> Resource:
        return Resource(id, kind, id, organisation, project, now_ms, ADMIN, now_ms, dict(spec))

    binding = made("role-binding", "rb_admin", "", principal=ADMIN, role="platform-admin")
    return [
        made("organisation", HOME, HOME),
        made("project", DEFAULT, HOME, DEFAULT),
        made("user", ADMIN, ""),
        binding,
    ]
