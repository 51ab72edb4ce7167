"""The document that describes the API is whole, and whatever is sent, the server holds to it."""

import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pipeline.settings import Settings
from pipeline.show.web.api.errors import Problem
from pipeline.show.web.app import create_app
from tests.fakes.published import ACCOUNT
from tests.show.web.copies import LOOPBACK

CASES = 2
"""Generated requests per operation; `make test-api` sends 2,000 per group of operations."""

CASES_PER_GROUP = int(os.environ.get("AFTERPOST_TEST_API_CASES", "0"))

WRITES_MUCH = frozenset({"/api/v1/demo/content/bulk-create"})
"""Make files by the hundred, and are tested by hand."""


@pytest.fixture(scope="module")
def server(template: Settings, tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    """One home that all generated requests are sent to."""
    import shutil

    home = tmp_path_factory.mktemp("openapi")
    shutil.copytree(template.home, home, dirs_exist_ok=True)
    app = create_app(Settings(home=home, lock_timeout_s=20))
    return TestClient(app, base_url=LOOPBACK, raise_server_exceptions=False)


@pytest.fixture(scope="module")
def document(server: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = server.get("/openapi.json").json()
    return found


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        if path.startswith("/api/v1"):
            for method, operation in methods.items():
                yield path, method, operation


def test_every_operation_is_described(document: dict[str, Any]):
    operations = list(_operations(document))

    assert len(operations) > 35
    for path, _, operation in operations:
        assert operation["description"], path
        assert operation["tags"], path
        assert operation["security"] == [{"HTTPBearer": []}], path
        for status in ("401", "403", "408", "413", "422"):
            content = operation["responses"][status]["content"]["application/json"]
            assert content["schema"] == {"$ref": "#/components/schemas/Problem"}, (path, status)


def test_examples_fit_their_schemas(document: dict[str, Any]):
    seen = 0
    for name, schema in document["components"]["schemas"].items():
        for example in schema.get("examples", []):
            jsonschema.validate(example, {**schema, "components": document["components"]})
            assert set(example) <= set(schema["properties"]), name
            seen += 1

    assert seen >= 12


def test_every_body_has_an_example_or_none_but_plain_fields(document: dict[str, Any]):
    bodies = {
        content["schema"]["$ref"].rpartition("/")[2]
        for _, _, operation in _operations(document)
        if (content := operation.get("requestBody", {}).get("content", {}).get("application/json"))
    }
    schemas = document["components"]["schemas"]

    assert len(bodies) > 10
    for name in bodies:
        assert schemas[name]["additionalProperties"] is False, name


def test_whatever_is_sent_nothing_breaks(server: TestClient, document: dict[str, Any]):
    schema = schemathesis.openapi.from_dict(document)
    problem = Problem.model_json_schema()
    counted = 0
    groups = Counter(operation["tags"][0] for _, _, operation in _operations(document))
    for result in schema.get_all_operations():
        operation: Any = result.ok()  # type: ignore[union-attr] # a test that fails is right
        if not operation.path.startswith("/api/v1") or operation.path in WRITES_MUCH:
            continue
        strategy = operation.as_strategy() | operation.as_strategy(
            generation_mode=schemathesis.GenerationMode.NEGATIVE
        )

        @given(case=strategy)
        @hypothesis_settings(
            max_examples=max(CASES, -(-CASES_PER_GROUP // groups[operation.tags[0]])),
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def send(case: schemathesis.Case) -> None:
            nonlocal counted
            counted += 1
            sent = case.as_transport_kwargs(base_url=LOOPBACK)
            sent.pop("cookies", None)
            answer = server.request(**sent, follow_redirects=False)
            told = (case.method, case.path, sent, answer.text[:500])
            assert answer.status_code < 500, told
            if answer.status_code == 204:
                return
            documented = document["paths"][case.path][case.method.lower()]["responses"]
            if answer.status_code not in {404, 405}:
                assert str(answer.status_code) in documented, told
            if answer.status_code >= 400:
                jsonschema.validate(answer.json(), problem)

        send()

    assert counted > 35


def test_linked_requests_in_turn_break_nothing(server: TestClient):
    """A plan that was made is changed, filled and deleted in any order, with the answers' ids."""
    for number in range(6):
        plan = {"account": ACCOUNT, "name": f"Plan {number}", "items": [{"title": "Film it"}]}
        assert server.post("/api/v1/action-plans", json=plan).status_code == 201

    met, followed = _walk(server, ["action plans", "recommendations"])

    assert sum(met.values()) > 20
    assert followed["/api/v1/action-plans/{plan_id}"] > 0
    assert any(path.startswith("/api/v1/action-items/") for path in followed)


def test_experiments_are_read_and_decided_on_in_any_order(server: TestClient):
    met, followed = _walk(server, ["experiments"])

    assert sum(met.values()) > 20
    assert followed["/api/v1/experiments/{experiment_id}"] > 0
    assert any(path.endswith(("/approve", "/reject", "/stop")) for path in followed)


def _walk(server: TestClient, tags: list[str]) -> tuple[Counter[int], Counter[str]]:
    """Requests that follow the links of the answers before them.

    Returns:
        How often each status was answered, and each path with an id well.
    """
    schema = schemathesis.openapi.from_asgi(
        "/openapi.json", server.app, headers={"Host": "127.0.0.1"}
    ).include(tag=tags)
    met: Counter[int] = Counter()
    followed: Counter[str] = Counter()

    class Walk(schema.as_state_machine()):  # type: ignore[misc] # made while running
        def before_call(self, case: schemathesis.Case) -> None:
            if isinstance(case.body, dict) and "account" in case.body:
                case.body["account"] = ACCOUNT  # no invented name is an account's

        def call(self, case: schemathesis.Case, **kwargs: Any) -> Any:
            return super().call(case, base_url=LOOPBACK, **kwargs)

        def validate_response(self, response: Any, case: schemathesis.Case, **_: Any) -> None:
            met[response.status_code] += 1
            if response.status_code < 300 and "_id}" in case.path:
                followed[case.path] += 1
            assert response.status_code < 500, (case.method, case.path, response.text[:500])

    Walk.run(
        settings=hypothesis_settings(
            max_examples=max(12, CASES_PER_GROUP // 8),
            stateful_step_count=8,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            derandomize=True,
        )
    )
    return met, followed


@given(st.binary(max_size=300), st.sampled_from(["application/json", "text/plain", ""]))
@hypothesis_settings(max_examples=20, suppress_health_check=list(HealthCheck))
def test_any_bytes_are_answered(server: TestClient, body: bytes, kind: str):
    answer = server.post("/api/v1/action-plans", content=body, headers={"content-type": kind})

    assert 400 <= answer.status_code < 500
    assert set(answer.json()) == {"code", "message", "detail"}
