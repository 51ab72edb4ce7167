"""``/docs``: the API for people, from its OpenAPI document and without anybody else's scripts."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response

from pipeline.show.web.pages.answering import PagesRouter
from pipeline.show.web.pages.rendering import Renderer

_METHODS = ("get", "post", "put", "patch", "delete")
Document = Mapping[str, Any]


@dataclass(frozen=True)
class Parameter:
    """One value of an address."""

    name: str
    place: str
    is_required: bool
    description: str
    kind: str


@dataclass(frozen=True)
class Operation:
    """One thing that the API does."""

    method: str
    path: str
    group: str
    summary: str
    description: str
    parameters: tuple[Parameter, ...]
    body: str | None
    """An example of what is sent."""
    answer: str | None
    """An example of what comes back."""
    statuses: tuple[tuple[str, str], ...]


def api_page(app: FastAPI, renderer: Renderer) -> APIRouter:
    """The page.

    Args:
        app: Whose document is shown.
        renderer: The templates.
    """
    router = PagesRouter(include_in_schema=False)

    @router.get("/docs")
    def docs(request: Request) -> Response:
        groups: dict[str, list[Operation]] = {}
        for operation in operations_of(app.openapi()):
            groups.setdefault(operation.group, []).append(operation)
        return renderer.page(request, "api.html", groups=groups)

    return router


def operations_of(document: Document) -> Iterator[Operation]:
    """The operations of an OpenAPI document in its order."""
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                yield _operation(document, path, method, item[method])


def _operation(
    document: Document, path: str, method: str, operation: Mapping[str, Any]
) -> Operation:
    answers: Mapping[str, Any] = operation.get("responses", {})
    good: Mapping[str, Any] = next((answers[one] for one in answers if one.startswith("2")), {})
    return Operation(
        method=method.upper(),
        path=path,
        group=next(iter(operation.get("tags", ())), "monitoring"),
        summary=operation.get("summary", ""),
        description=operation.get("description", ""),
        parameters=tuple(
            Parameter(
                one["name"],
                one["in"],
                bool(one.get("required")),
                one.get("description", ""),
                _kind(document, one.get("schema", {})),
            )
            for one in operation.get("parameters", ())
        ),
        body=_example(document, operation.get("requestBody", {})),
        answer=_example(document, good),
        statuses=tuple((code, one.get("description", "")) for code, one in answers.items()),
    )


def _example(document: Document, carrier: Mapping[str, Any]) -> str | None:
    for content in carrier.get("content", {}).values():
        if "example" in content:
            example = content["example"]
            return example if isinstance(example, str) else _json(example)
        examples = _resolved(document, content.get("schema", {})).get("examples")
        if examples:
            return _json(examples[0])
    return None


def _kind(document: Document, schema: Mapping[str, Any]) -> str:
    """What a value may be, in a few words."""
    found = _resolved(document, schema)
    if "enum" in found:
        return " or ".join(str(one) for one in found["enum"])
    if "anyOf" in found:
        kinds = (_kind(document, one) for one in found["anyOf"])
        return ", ".join(one for one in kinds if one != "null")
    return str(found.get("type", ""))


def _resolved(document: Document, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    found: Mapping[str, Any] = document["components"]["schemas"][reference.rpartition("/")[2]]
    return found


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
