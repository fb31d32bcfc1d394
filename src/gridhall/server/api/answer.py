"""Answers: objects as JSON, written by the models themselves and not checked a second time."""

from pydantic import BaseModel
from starlette.responses import Response


def answer_object(body: BaseModel, version: int = 0) -> Response:
    """One object; its version, where it has one, becomes the ETag."""
    headers = {"ETag": f'"{version}"'} if version else None
    return Response(body.model_dump_json(), headers=headers, media_type="application/json")
