"""Action plans over HTTP: a whole life, two writers at once, and a trace of every change."""

from concurrent.futures import ThreadPoolExecutor

from fastapi.testclient import TestClient

from pipeline.clients.state_plans import audit_rows
from pipeline.settings import Settings
from tests.fakes.dashboard_copy import OTHER_ACCOUNT
from tests.fakes.published import ACCOUNT
from tests.show.web.copies import POST, VERSION, api_client

PLANS = "/api/v1/action-plans"
ITEMS = "/api/v1/action-items"
BODY = {
    "account": ACCOUNT,
    "name": "More guides",
    "goal": "See whether they still do better",
    "items": [
        {"title": "write", "due_date": "2020-01-01", "estimated_hours": 2},
        {"title": "film", "due_date": "2999-01-01", "estimated_hours": 1.5},
    ],
    "projected": {"outcome": "views_7d", "ratio": 1.3},
}


def test_the_life_of_a_plan(client: TestClient, home: Settings):
    made = client.post(PLANS, json=BODY)
    plan = made.json()
    plan_url = f"{PLANS}/{plan['id']}"
    first, second = (f"{ITEMS}/{item['id']}" for item in plan["items"])

    assert made.status_code == 201
    assert made.headers["location"] == plan_url
    assert [item["urgency"] for item in plan["items"]] == ["overdue", "later"]
    assert plan["estimated_hours_left"] == 3.5

    half = client.patch(f"{first}/complete").json()
    assert (half["progress_percentage"], half["completed_items"]) == (50, 1)
    assert client.patch(f"{first}/complete").json() == half
    assert client.patch(f"{first}/uncomplete").json()["progress_percentage"] == 0
    client.patch(f"{first}/complete")
    client.patch(f"{second}/complete")

    linked = client.post(f"{second}/posts", json={"content_id": POST}).json()
    assert linked["items"][1]["posts"] == [POST]
    told = client.get(plan_url).json()
    assert told["actual"]["warehouse_version"] == VERSION
    assert told["actual"]["posts"][0]["value"] is not None
    assert told["actual"]["verdict"] == "cannot_tell"

    done = client.patch(plan_url, json={"version": told["version"], "status": "completed"}).json()
    assert done["status"] == "completed"
    assert done["progress_percentage"] == 100
    assert client.get(PLANS, params={"status": "active"}).json()["total"] == 0
    assert client.get(PLANS, params={"status": "completed"}).json()["total"] == 1
    assert client.get(PLANS, params={"account": OTHER_ACCOUNT}).json()["total"] == 0

    assert client.delete(plan_url, params={"version": 1}).status_code == 409
    assert client.delete(plan_url).status_code == 204
    assert client.get(plan_url).status_code == 404
    assert client.patch(f"{first}/complete").status_code == 404

    actions = [row["action"] for row in audit_rows(home, limit=50)[0]][::-1]
    assert actions == [
        "plan.create", "item.complete", "item.uncomplete", "item.complete", "item.complete",
        "item.link", "plan.change", "plan.delete",
    ]  # fmt: skip


def test_a_change_names_the_version_that_it_was_made_from(client: TestClient):
    plan = client.post(PLANS, json=BODY).json()
    url = f"{PLANS}/{plan['id']}"

    assert client.patch(url, json={"name": "x"}).status_code == 422
    assert client.patch(url, json={"version": 1, "name": "mine"}).status_code == 200
    refused = client.patch(url, json={"version": 1, "name": "yours"})

    assert refused.status_code == 409
    assert refused.json()["code"] == "conflict"
    assert client.get(url).json()["name"] == "mine"


def test_fields_that_are_not_named_stay_and_null_empties(client: TestClient):
    plan = client.post(PLANS, json=BODY).json()
    item = f"{ITEMS}/{plan['items'][0]['id']}"

    after = client.patch(item, json={"version": 1, "due_date": None, "notes": "soon"}).json()

    assert after["items"][0]["due_date"] is None
    assert after["items"][0]["notes"] == "soon"
    assert after["items"][0]["estimated_hours"] == 2
    assert client.patch(item, json={"version": 2, "title": None}).status_code == 422


def test_items_come_go_and_change_places(client: TestClient):
    plan = client.post(PLANS, json=BODY).json()
    url = f"{PLANS}/{plan['id']}"

    longer = client.post(f"{url}/items", json={"title": "post"}).json()
    ids = [item["id"] for item in longer["items"]][::-1]
    turned = client.put(f"{url}/order", json={"version": longer["version"], "item_ids": ids})
    shorter = client.delete(f"{ITEMS}/{ids[0]}").json()

    assert [item["title"] for item in turned.json()["items"]] == ["post", "film", "write"]
    assert [item["title"] for item in shorter["items"]] == ["film", "write"]


def test_a_plan_from_a_recommendation_has_its_projection(client: TestClient):
    made = client.post(
        PLANS, json={"account": ACCOUNT, "recommendation_id": "rec_000000000001"}
    ).json()

    assert (made["source_kind"], made["source_id"]) == ("recommendation", "rec_000000000001")
    assert made["items"][0]["title"] == "Decide on the recommendation"
    other = {"account": OTHER_ACCOUNT, "recommendation_id": "rec_000000000001"}
    assert client.post(PLANS, json=other).status_code == 404
    assert client.post(PLANS, json={"account": ACCOUNT}).status_code == 422


def test_two_servers_and_many_clients_lose_no_update(home: Settings):
    servers = [api_client(home) for _ in range(2)]
    body = {**BODY, "items": [{"title": f"step {number}"} for number in range(10)]}
    plan = servers[0].post(PLANS, json=body).json()
    url = f"{PLANS}/{plan['id']}"

    def tick(place: int) -> int:
        item = plan["items"][place]["id"]
        return servers[place % 2].patch(f"{ITEMS}/{item}/complete").status_code

    def note(number: int) -> int:
        server = servers[number % 2]
        while True:
            seen = server.get(url).json()
            text = f"{seen['notes'] or ''} {number}"
            answer = server.patch(url, json={"version": seen["version"], "notes": text})
            if answer.status_code != 409:
                return answer.status_code

    with ThreadPoolExecutor(6) as pool:
        codes = list(pool.map(tick, range(10))) + list(pool.map(note, range(5)))

    after = servers[0].get(url).json()
    assert set(codes) == {200}
    assert after["progress_percentage"] == 100
    assert sorted(after["notes"].split()) == ["0", "1", "2", "3", "4"]
