"""The OpenAPI 3.1 document: what FastAPI knows of the routes, with every problem that an operation can answer."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from gridhall.server.api.caller import is_write
from gridhall.server.api.edge import OPEN_PATHS
from gridhall.server.api.problem import MEDIA_TYPE
from gridhall.server.api.terms import PARAMETERS
from gridhall.server.objects.problem import Problem

ALWAYS = {
    400: "malformed",
    404: "not there, or not yours",
    409: "conflicts with what is",
    413: "too large",
    422: "a field is wrong",
}
WITH_TOKEN = {401: "no token, or none that is accepted", 403: "not allowed"}
WRITES = {
    412: "changed meanwhile: If-Match does not match",
    415: "not JSON",
    428: "needs If-Match",
    503: "nothing is written now",
    507: "no room",
}
UNREADY = {503: "not ready"}


def openapi_of(app: FastAPI) -> dict[str, Any]:
    """The document, made once."""
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, openapi_version="3.1.0", routes=app.routes)
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
        schemas.update(problem.pop("$defs"))
        schemas["Problem"] = problem
        document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        for route in app.routes:
            if isinstance(route, APIRoute) and route.include_in_schema:
                for method in route.methods or ():
                    _declare(document["paths"][route.path_format][method.lower()], route)
        app.openapi_schema = document
    return app.openapi_schema


def _declare(operation: dict[str, Any], route: APIRoute) -> None:
    with_token, writes = route.path not in OPEN_PATHS, is_write(route)
    problems = ALWAYS | (WITH_TOKEN if with_token else {}) | (WRITES if route.methods != {"GET"} else UNREADY)
    for status, description in problems.items():
        content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        operation["responses"][str(status)] = {"description": description, "content": content}
    if with_token:
        operation["security"] = [{"token": []}]
    if writes:
        operation["parameters"] = [*operation.get("parameters", ()), *PARAMETERS]
