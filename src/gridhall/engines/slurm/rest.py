"""slurmrestd: submit, cancel, list jobs and nodes. Every call has a time-out and says what to do when it fails."""

from typing import TypeVar

import httpx
from pydantic import ValidationError

from gridhall.engines.protocol import EngineFault
from gridhall.engines.slurm.answers import REFUSALS, UNCLEAR, UNKNOWN_JOB, Answer, Job, Jobs, Node, Nodes, Submitted
from gridhall.engines.slurm.settings import SlurmSettings
from gridhall.engines.slurm.token import Token

ANSWER_S = 5.0
_VERSION = "/slurm/v0.0.38"
_A = TypeVar("_A", bound=Answer)


class Refused(Exception):
    """Slurm understood the submission and will not run it; the text is Slurm's reason."""


class Rest:
    """The REST interface of one cluster."""

    def __init__(self, settings: SlurmSettings) -> None:
        self._settings = settings
        self._token = Token(settings)
        self._client = httpx.AsyncClient(base_url=settings.rest_url + _VERSION, timeout=ANSWER_S, trust_env=False)

    async def submit(self, body: dict[str, object]) -> int:
        """The number of the new job; raises Refused, or EngineFault when it is not known whether there is one."""
        answer = await self._ask(Submitted, "POST", "/job/submit", body)
        if answer.job_id:
            return answer.job_id  # errors beside a number say why it must wait
        for trouble in answer.errors:
            if trouble.number in REFUSALS:
                raise Refused(str(trouble))
        self._expect(answer, "submit")
        return answer.job_id

    async def cancel(self, job_id: int) -> None:
        """Kill a job and all its processes; a job that is gone already is no fault."""
        answer = await self._ask(Answer, "DELETE", f"/job/{job_id}")
        if not any(trouble.number in UNKNOWN_JOB for trouble in answer.errors):
            self._expect(answer, f"cancel {job_id}")

    async def jobs(self) -> list[Job]:
        """Every job that Slurm remembers, other people's too."""
        answer = await self._ask(Jobs, "GET", "/jobs")
        self._expect(answer, "jobs")
        return answer.jobs

    async def nodes(self) -> list[Node]:
        """Every node."""
        answer = await self._ask(Nodes, "GET", "/nodes")
        self._expect(answer, "nodes")
        return answer.nodes

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _ask(self, kind: type[_A], method: str, path: str, body: dict[str, object] | None = None) -> _A:
        reply = await self._send(method, path, body)
        if reply.status_code == 401:
            self._token.drop()
            raise self._fault(f"{method} {path}: the token was refused")
        try:
            answer = kind.model_validate_json(reply.content)
        except ValidationError:
            raise self._fault(f"{method} {path}: answer {reply.status_code} is not Slurm's") from None
        if any(trouble.number in UNCLEAR for trouble in answer.errors):
            self._token.drop()
        return answer

    async def _send(self, method: str, path: str, body: dict[str, object] | None) -> httpx.Response:
        headers = {"X-SLURM-USER-NAME": self._settings.user, "X-SLURM-USER-TOKEN": await self._token.get()}
        try:
            return await self._client.request(method, path, json=body, headers=headers)
        except httpx.TimeoutException:
            raise self._fault(f"{method} {path}: no answer in {ANSWER_S:.0f} s") from None
        except httpx.HTTPError as error:
            raise self._fault(f"{method} {path}: {error}") from error

    def _expect(self, answer: Answer, what: str) -> None:
        if answer.errors:
            raise self._fault(f"{what}: {'; '.join(map(str, answer.errors))}")

    def _fault(self, problem: str) -> EngineFault:
        mend = f"see that slurmrestd runs at {self._settings.rest_url} and that `scontrol ping` says UP"
        return EngineFault(f"site {self._settings.site}: {problem}: {mend}")
