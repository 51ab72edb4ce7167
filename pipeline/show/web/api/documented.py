"""The OpenAPI document, with its examples whole and its operations linked.

FastAPI leaves out what is null wherever it stands, also in examples, and an example without the
fields that are null does not fit its own schema.
"""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from pipeline.show.web.api.answers import Answer, Request
from pipeline.show.web.api.errors import Problem
from pipeline.show.web.api.links import add_links


def complete_document(app: FastAPI) -> None:
    """Let an application's document tell the examples as the models have them, and the links."""
    generate = app.openapi
    examples = dict(_examples())

    def openapi() -> dict[str, Any]:
        document = generate()
        for name, schema in document.get("components", {}).get("schemas", {}).items():
            if name in examples and "examples" in schema:
                schema["examples"] = examples[name]
        add_links(document)
        return document

    app.openapi = openapi  # type: ignore[method-assign] # as FastAPI's manual does it


def _examples() -> Iterator[tuple[str, list[Any]]]:
    waiting: list[type[BaseModel]] = [Answer, Request, Problem]
    while waiting:
        model = waiting.pop()
        waiting += model.__subclasses__()
        extra = model.model_config.get("json_schema_extra")
        examples = extra.get("examples") if isinstance(extra, dict) else None
        if isinstance(examples, list):
            yield model.__name__, examples
