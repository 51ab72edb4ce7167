"""The API's own operations, called in this process.

A page shows what the API answers, to the last digit, and changes things the way the API does, with
the same checks and the same audit row: it calls the very functions behind the routes.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from fastapi import APIRouter, FastAPI, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel

from pipeline.show.web.api.callers import Caller

Shape = TypeVar("Shape", bound=BaseModel)


class Calls:
    """The operations of one of the API's routers by their functions' names."""

    def __init__(self, router: APIRouter) -> None:
        """Take the functions behind a router's routes."""
        self._operations: dict[str, Callable[..., Any]] = {
            route.name: route.endpoint for route in router.routes if isinstance(route, APIRoute)
        }

    def ask(self, shape: type[Shape], name: str, caller: Caller, /, **values: Any) -> Shape:
        """What an operation answers.

        Args:
            shape: What it documents as its answer.
            name: Of its function.
            caller: Who asks; as in the API, what is not open to them is refused.
            values: Its other arguments, those that are not left at their defaults.
        """
        answer = self._operations[name](caller=caller, **values)
        if isinstance(answer, Response):
            return shape.model_validate_json(bytes(answer.body))
        if not isinstance(answer, shape):
            raise TypeError(f"{name} answers {type(answer).__name__} and not {shape.__name__}")
        return answer

    def ask_raw(self, name: str, caller: Caller, /, **values: Any) -> Response:
        """An operation's answer as it is sent."""
        answer = self._operations[name](caller=caller, **values)
        if not isinstance(answer, Response):
            raise TypeError(f"{name} answers no response of its own")
        return answer

    def do(self, name: str, caller: Caller, /, **values: Any) -> None:
        """Let an operation do what it does; its answer is not needed."""
        self._operations[name](caller=caller, **values)


Api = Mapping[str, Calls]
"""The API's operations by the prefix of their addresses, such as ``/insights``."""


def api_of(app: FastAPI) -> Api:
    """The operations that `add_api` has put into an application."""
    routers: Mapping[str, APIRouter] = app.state.api_routers
    return {prefix: Calls(router) for prefix, router in routers.items()}
