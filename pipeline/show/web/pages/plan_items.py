"""The forms of a plan's steps."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Response

from pipeline.show.web.api.callers import Caller
from pipeline.show.web.api.plan_answers import ActionPlan, LinkBody
from pipeline.show.web.api.plans import ItemId
from pipeline.show.web.pages.answering import PagesRouter, back_to
from pipeline.show.web.pages.calls import Api
from pipeline.show.web.pages.forms import ItemForm

Choice = Annotated[str, Form(max_length=230)]


def item_forms(caller_of: Callable[..., Any], api: Api) -> APIRouter:
    """The forms under ``/action-items``."""
    router = PagesRouter()
    items = api["/action-items"]
    Asking = Annotated[Caller, Depends(caller_of)]  # noqa: N806 (a type)

    def answered(name: str, caller: Caller, item_id: str, **values: Any) -> Response:
        plan = items.ask(ActionPlan, name, caller, item_id=item_id, **values)
        return back_to(f"/action-plans/{plan.id}")

    @router.post("/action-items/{item_id}/complete")
    def complete(caller: Asking, item_id: ItemId) -> Response:
        return answered("complete", caller, item_id)

    @router.post("/action-items/{item_id}/uncomplete")
    def uncomplete(caller: Asking, item_id: ItemId) -> Response:
        return answered("uncomplete", caller, item_id)

    @router.post("/action-items/{item_id}/delete")
    def delete(
        caller: Asking, item_id: ItemId, version: Annotated[int, Form(ge=1, le=2**31 - 1)]
    ) -> Response:
        return answered("remove", caller, item_id, version=version)

    @router.post("/action-items/{item_id}")
    def change(caller: Asking, item_id: ItemId, form: Annotated[ItemForm, Form()]) -> Response:
        return answered("change", caller, item_id, body=form.body())

    @router.post("/action-items/{item_id}/posts")
    def link(caller: Asking, item_id: ItemId, content_id: Choice) -> Response:
        body = LinkBody(content_id=content_id.strip())
        return answered("link", caller, item_id, body=body)

    @router.post("/action-items/{item_id}/posts/remove")
    def unlink(caller: Asking, item_id: ItemId, content_id: Choice) -> Response:
        return answered("unlink", caller, item_id, content_id=content_id)

    return router
