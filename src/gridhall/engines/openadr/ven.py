"""The client itself: asks a server for events and posts reports. Every way this can fail is a fault for people."""

from collections.abc import Awaitable
from typing import TypeVar

import aiohttp
from toadr3 import OAuthScopeConfig, ToadrClient, ToadrError
from toadr3.models import Event, Report

from gridhall.engines.openadr.meaning import in_order
from gridhall.engines.openadr.settings import VenSettings
from gridhall.errors import fault

ANSWER_S = 15.0
PAGE = 50
"""The most events that a server gives at a time."""

_A = TypeVar("_A")


class Ven:
    """One enrolment. Open it inside a running event loop, and close it."""

    def __init__(self, settings: VenSettings) -> None:
        self._settings = settings
        secret = settings.secret_file.read_text(encoding="utf-8").splitlines()[0].strip()
        access = OAuthScopeConfig(settings.token_url, "client_credentials", settings.scope, settings.client_id, secret)
        session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_S))
        self._client = ToadrClient(settings.vtn_url, access, session)
        self._session = session

    async def events(self) -> list[Event]:
        """Every event of the program, the most urgent last. Raises InputError when the server cannot be understood."""
        found: list[Event] = []
        while True:
            asked = self._client.get_events(program_id=self._settings.program_id, skip=len(found), limit=PAGE)
            page = await self._told("/events", asked)
            found += page
            if len(page) < PAGE:
                return in_order(found)

    async def report(self, report: Report) -> str:
        """Posts a report and gives the server's id for it. Raises InputError when it was not taken."""
        taken = await self._told("/reports", self._client.post_report(report))
        return taken.id or ""

    async def close(self) -> None:
        """Closes the connections."""
        await self._session.close()

    async def _told(self, path: str, asked: Awaitable[_A]) -> _A:
        try:
            return await asked
        except (ToadrError, TypeError) as error:  # TypeError: toadr3 trips over a token refused with a problem body
            problem = str(error) if isinstance(error, ToadrError) else "refuses a token"
            mend = "check client id, secret and program with the server's operator"
            raise fault(self._settings.vtn_url, path, problem, mend) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            problem = f"does not answer: {error or type(error).__name__}"
            raise fault(self._settings.vtn_url, path, problem, "the last targets stay in force") from error
        except ValueError as error:
            problem = f"answer cannot be read: {error}"
            raise fault(self._settings.vtn_url, path, problem, "tell the server's operator") from error
