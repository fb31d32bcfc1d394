"""The SDK: a typed client over the API, with the same bodies as the server.

    with Client() as client:
        job = client.jobs.submit(JobRequest(name="train", spec=JobSpec(command=("python", "train.py"))))
        for piece in client.jobs.log(job.metadata.id, follow=True):
            print(piece.decode(), end="")

Without arguments it finds the server that `gridhall up` runs on this machine. Its errors are `Problem`, with the
server's own words.
"""

import json
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

import httpx

from gridhall.errors import Problem, fault
from gridhall.server.objects.job import FINAL_STATES, Job, JobRequest

if TYPE_CHECKING:  # the energy room brings numpy, which nobody else here needs
    from gridhall.energy.targets import LoadTarget
    from gridhall.server.objects.feed import Feed

Object = dict[str, Any]


def home_folder() -> Path:
    """Where `gridhall up` keeps its things: GRIDHALL_HOME, or `.gridhall` in the user's folder."""
    return Path(os.environ.get("GRIDHALL_HOME") or Path.home() / ".gridhall")


def found_server(folder: Path) -> tuple[str, str]:
    """Address and token of a server: GRIDHALL_URL and GRIDHALL_TOKEN, else what `gridhall up` left in its folder.

    Raises InputError when there is neither.
    """
    url, token = os.environ.get("GRIDHALL_URL"), os.environ.get("GRIDHALL_TOKEN")
    if url:
        return url, token or ""
    path = folder / "client.json"
    try:
        document = cast("Object", json.loads(path.read_text(encoding="utf-8")))
        return str(document["url"]), token or str(document["token"])
    except (OSError, ValueError, KeyError) as problem:
        mend = "start one with `gridhall up`, or set GRIDHALL_URL"
        raise fault(str(path), "", "no server is known here", mend) from problem


class Client:
    """A connection to a server. Close it, or use it in a `with` block."""

    def __init__(self, url: str | None = None, token: str | None = None, timeout_s: float = 30.0) -> None:
        if url is None:
            url, token = found_server(home_folder())
        self.url = url
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=timeout_s)
        self.jobs = Jobs(self)
        self.targets = Targets(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def get(self, path: str, **query: Any) -> Any:
        """The JSON answer to a GET. Raises Problem."""
        return self._send("GET", path, params={key: value for key, value in query.items() if value is not None})

    def post(self, path: str, body: Any = None, headers: dict[str, str] | None = None, **query: Any) -> Any:
        """The JSON answer to a POST. Raises Problem."""
        return self._send("POST", path, json=body, params=query, headers=headers)

    def put(self, path: str, body: Any, version: int | None = None) -> Any:
        """The JSON answer to a PUT of an object that stands at a version. Raises Problem."""
        return self._send("PUT", path, json=body, headers=_if_match(version))

    def delete(self, path: str, version: int | None = None) -> Any:
        """The JSON answer to a DELETE. Raises Problem."""
        return self._send("DELETE", path, headers=_if_match(version))

    def items(self, path: str, **query: Any) -> Iterator[Object]:
        """Every item of a collection, page by page."""
        after: str | None = None
        while True:
            page = self.get(path, after=after, **query)
            yield from page["items"]
            after = page.get("next")
            if not after:
                return

    def stream(self, path: str, **query: Any) -> Iterator[bytes]:
        """The bytes of an answer as they come. Raises Problem."""
        with self._http.stream("GET", path, params=query, timeout=httpx.Timeout(30.0, read=None)) as answer:
            if answer.is_error:
                answer.read()
                self._answer(answer)
            yield from answer.iter_bytes()

    def _send(self, method: str, path: str, **parts: Any) -> Any:
        try:
            return self._answer(self._http.request(method, path, **parts))
        except httpx.TransportError as problem:
            mend = "is it running? `gridhall up` starts one; GRIDHALL_URL says where another is"
            raise fault(self.url, "", f"no answer: {problem}", mend) from problem

    def _answer(self, answer: httpx.Response) -> Any:
        if answer.is_error:
            try:
                body = cast("Object", answer.json())
            except ValueError:
                body = {"detail": answer.text}
            raise Problem(answer.status_code, body)
        return answer.json() if answer.content else None


def _if_match(version: int | None) -> dict[str, str]:
    return {} if version is None else {"If-Match": f'"{version}"'}


class Jobs:
    """Jobs: submit, look at, wait for, cancel."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def submit(self, request: JobRequest, idempotency_key: str | None = None) -> Job:
        """Submit a job. With a key, the same submission made twice is one. Raises Problem where it can never run."""
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else None
        body = request.model_dump(mode="json", exclude_defaults=True)
        return Job.model_validate(self._client.post("/v1/jobs", body, headers))

    def submit_many(self, requests: Sequence[JobRequest]) -> list[Object]:
        """Submit many jobs at once; for each the job or why it was refused."""
        body = {"jobs": [request.model_dump(mode="json", exclude_defaults=True) for request in requests]}
        return cast("list[Object]", self._client.post("/v1/jobs:batch", body)["items"])

    def get(self, id: str) -> Job:
        """A job as it is now."""
        return Job.model_validate(self._client.get(f"/v1/jobs/{id}"))

    def list(self, **filters: Any) -> Iterator[Job]:
        """Jobs, the newest first, filtered by `project`, `state`, `user` or `name`."""
        return (Job.model_validate(each) for each in self._client.items("/v1/jobs", **filters))

    def cancel(self, id: str) -> Job:
        """Cancel a job: a waiting one is gone at once, a running one is told to stop."""
        return Job.model_validate(self._client.post(f"/v1/jobs/{id}:cancel"))

    def log(self, id: str, rank: int = 0, offset: int = 0, follow: bool = False) -> Iterator[bytes]:
        """What a rank of the job wrote, of its latest attempt; `follow` goes on until the job has ended."""
        return self._client.stream(f"/v1/jobs/{id}/log", rank=rank, offset=offset, follow=str(follow).lower())

    def wait(self, id: str, timeout_s: float = float("inf"), pause_s: float = 0.2) -> Job:
        """Wait until a job has come to its end. Raises TimeoutError."""
        until = time.monotonic() + timeout_s
        while True:
            job = self.get(id)
            if job.status.state in FINAL_STATES:
                return job
            if time.monotonic() > until:
                raise TimeoutError(f"{id} is {job.status.state} after {timeout_s:g} s: {job.status.reason}")
            time.sleep(pause_s)

    def why(self, id: str) -> Object:
        """Why a job waits, in one sentence, and the earliest start that can be promised."""
        return cast("Object", self._client.get(f"/v1/jobs/{id}/why"))

    def where(self, id: str) -> Object:
        """Where a job ran or runs, with the proof that it was decided so, and what is not proven."""
        return cast("Object", self._client.get(f"/v1/jobs/{id}/where"))


class Targets:
    """Load targets: what each feed may draw, from when until when."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def feeds(self) -> "Iterator[Feed]":
        """Every feed with what it can be asked for, what it draws and the target in force."""
        from gridhall.server.objects.feed import Feed

        return (Feed.model_validate(each) for each in self._client.items("/v1/feeds"))

    def feed(self, id: str) -> "Feed":
        """A feed as it is now."""
        from gridhall.server.objects.feed import Feed

        return Feed.model_validate(self._client.get(f"/v1/feeds/{id}"))

    def list(self, **filters: Any) -> "Iterator[LoadTarget]":
        """The targets that touch a span of time, from now on without `from_ms` and `until_ms`; of one `feed` or all."""
        from gridhall.energy.targets import LoadTarget

        return (LoadTarget.model_validate(each) for each in self._client.items("/v1/load-targets", **filters))

    def set(self, target: "LoadTarget", idempotency_key: str | None = None) -> "Sequence[LoadTarget]":
        """Set a target; the schedule of its feeds from now on. A null constraint returns them to the default.

        Raises Problem where it is refused: its `body` has the nearest that can be promised.
        """
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else None
        answer = self._client.post("/v1/load-targets", target.model_dump(mode="json"), headers)
        return [type(target).model_validate(each) for each in answer["items"]]
