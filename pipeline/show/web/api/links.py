"""What may be asked after an answer, for the OpenAPI document: the links between operations.

Programs that read the document walk them: a plan that was just made can be read, changed, given
items and deleted with the id that the answer holds.
"""

from typing import Any, NamedTuple

from pipeline.show.web.api.guards import PREFIX

_PLANS, _ITEMS = f"{PREFIX}/action-plans", f"{PREFIX}/action-items"
_EXPERIMENTS = f"{PREFIX}/experiments"
_PROPOSALS, _POSTS = f"{PREFIX}/recommendations", f"{PREFIX}/insights/content"


class _Place(NamedTuple):
    """An operation; of an answer also its status."""

    method: str
    path: str
    status: str = ""


_A_PLAN = (
    _Place("post", _PLANS, "201"),
    _Place("post", f"{_PLANS}/{{plan_id}}/items", "201"),
    _Place("patch", f"{_PLANS}/{{plan_id}}", "200"),
    _Place("patch", f"{_ITEMS}/{{item_id}}/complete", "200"),
)
_OF_A_PLAN = {
    "read_plan": _Place("get", f"{_PLANS}/{{plan_id}}"),
    "change_plan": _Place("patch", f"{_PLANS}/{{plan_id}}"),
    "add_item": _Place("post", f"{_PLANS}/{{plan_id}}/items"),
    "delete_plan": _Place("delete", f"{_PLANS}/{{plan_id}}"),
}
_OF_AN_ITEM = {
    "complete_item": _Place("patch", f"{_ITEMS}/{{item_id}}/complete"),
    "reopen_item": _Place("patch", f"{_ITEMS}/{{item_id}}/uncomplete"),
    "change_item": _Place("patch", f"{_ITEMS}/{{item_id}}"),
    "remove_item": _Place("delete", f"{_ITEMS}/{{item_id}}"),
}
_OF_A_PROPOSAL = {
    "read_recommendation": _Place("get", f"{_PROPOSALS}/{{recommendation_id}}"),
    "approve_recommendation": _Place("post", f"{_PROPOSALS}/{{recommendation_id}}/approve"),
    "reject_recommendation": _Place("post", f"{_PROPOSALS}/{{recommendation_id}}/reject"),
}
_AN_EXPERIMENT = (
    _Place("post", _EXPERIMENTS, "201"),
    _Place("post", f"{_EXPERIMENTS}/content-variations", "201"),
)
_OF_AN_EXPERIMENT = {
    "read_experiment": _Place("get", f"{_EXPERIMENTS}/{{experiment_id}}"),
    "read_results": _Place("get", f"{_EXPERIMENTS}/{{experiment_id}}/results"),
    "approve_experiment": _Place("post", f"{_EXPERIMENTS}/{{experiment_id}}/approve"),
    "reject_experiment": _Place("post", f"{_EXPERIMENTS}/{{experiment_id}}/reject"),
    "stop_experiment": _Place("post", f"{_EXPERIMENTS}/{{experiment_id}}/stop"),
}
_OF_A_POST = {
    "read_post": _Place("get", f"{_POSTS}/{{content_id}}"),
    "read_what_was_said": _Place("get", f"{PREFIX}/ml/posts/{{content_id}}"),
}

_LINKS: tuple[tuple[tuple[_Place, ...], dict[str, _Place], str, str], ...] = (
    (_A_PLAN, _OF_A_PLAN, "plan_id", "$response.body#/id"),
    (_A_PLAN, _OF_AN_ITEM, "item_id", "$response.body#/items/0/id"),
    ((_Place("get", _PLANS, "200"),), _OF_A_PLAN, "plan_id", "$response.body#/items/0/id"),
    (
        (_Place("get", _PROPOSALS, "200"),),
        _OF_A_PROPOSAL,
        "recommendation_id",
        "$response.body#/items/0/id",
    ),
    (_AN_EXPERIMENT, _OF_AN_EXPERIMENT, "experiment_id", "$response.body#/id"),
    (
        (_Place("get", _EXPERIMENTS, "200"),),
        _OF_AN_EXPERIMENT,
        "experiment_id",
        "$response.body#/items/0/id",
    ),
    ((_Place("get", _POSTS, "200"),), _OF_A_POST, "content_id", "$response.body#/items/0/id"),
)
"""After which answers, which operations, and where in the answer their parameter stands."""


def add_links(document: dict[str, Any]) -> None:
    """Put the links into an OpenAPI document.

    Raises:
        KeyError: An operation or an answer that a link names is not in the document.
    """
    paths = document["paths"]
    for answers, targets, parameter, expression in _LINKS:
        for answer in answers:
            response = paths[answer.path][answer.method]["responses"][answer.status]
            for name, target in targets.items():
                response.setdefault("links", {})[name] = {
                    "operationId": paths[target.path][target.method]["operationId"],
                    "parameters": {parameter: expression},
                }
