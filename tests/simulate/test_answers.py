"""How the simulated actors answer a run."""

import json
from typing import Any

import pytest
from apify_client import ApifyClient

from pipeline.accounts import Platform
from pipeline.simulate.answers import actor_answers
from pipeline.simulate.apify_server import ApifyServer
from pipeline.simulate.world import ScrapeKind, World, build_world

TIKTOK = "clockworks/tiktok-profile-scraper"
INSTAGRAM = "apify/instagram-post-scraper"
PROFILES = "apify/instagram-profile-scraper"


@pytest.fixture(scope="module")
def world() -> World:
    return build_world()


def test_a_run_is_answered_with_the_scrape_at_the_worlds_end(world: World) -> None:
    answer = actor_answers(world)
    runs: list[tuple[str, dict[str, Any], str, ScrapeKind, int]] = [
        (TIKTOK, {"profiles": ["mymomskills"], "resultsPerPage": 24}, "tiktok", "posts", 24),
        (INSTAGRAM, {"username": ["mymomskills"], "resultsLimit": 9}, "instagram", "posts", 9),
        (PROFILES, {"usernames": ["mymomskills"]}, "instagram", "profiles", 1),
    ]
    for actor, run_input, platform, kind, limit in runs:
        got = answer(actor, run_input)
        expected = world.scrape_rows("mymomskills", Platform(platform), kind, world.end, limit)
        assert list(got.items) == expected
        assert sum("error" not in row for row in expected) == limit
        assert got.status == "SUCCEEDED"
        assert got.finished_at == world.end
        assert got.started_at < world.end
        assert got.usage_total_usd
        json.dumps(list(got.items))


def test_run_ids_are_the_same_in_every_process_and_differ_between_runs(world: World) -> None:
    inputs = [
        (TIKTOK, {"profiles": ["mymomskills"]}),
        (TIKTOK, {"profiles": ["slumbersongs"]}),
        (INSTAGRAM, {"username": ["mymomskills"]}),
        (PROFILES, {"usernames": ["mymomskills"]}),
    ]
    first = [actor_answers(world)(*one).run_id for one in inputs]
    again = [actor_answers(build_world())(*one).run_id for one in inputs]
    other = [actor_answers(build_world(seed=8))(*one).run_id for one in inputs]
    assert first == again
    assert len({*first, *other}) == 8
    assert all(run_id is not None and len(run_id) == 17 for run_id in first)


def test_the_actors_name_may_be_written_with_a_tilde_and_a_handle_as_an_address(
    world: World,
) -> None:
    answer = actor_answers(world)
    plain = answer(INSTAGRAM, {"username": ["slumbersongs"], "resultsLimit": 4})
    other = answer(
        "apify~instagram-post-scraper",
        {"username": ["https://www.instagram.com/SlumberSongs/"], "resultsLimit": 4},
    )
    assert plain.items == other.items


def test_a_handle_that_is_not_there_is_answered_with_an_error_row(world: World) -> None:
    answer = actor_answers(world)
    for actor, run_input in (
        (TIKTOK, {"profiles": ["nobody"], "resultsPerPage": 5}),
        (INSTAGRAM, {"username": ["parentplaybook"], "resultsLimit": 5}),
    ):
        got = answer(actor, run_input)
        assert got.status == "SUCCEEDED"
        assert [set(row) & {"error", "id"} for row in got.items] == [{"error"}]


def test_an_unknown_actor_fails(world: World) -> None:
    got = actor_answers(world)("somebody/else", {})
    assert got.status == "FAILED"
    assert got.status_message is not None
    assert "somebody/else" in got.status_message


def test_the_local_server_hands_the_answer_to_the_real_client(world: World) -> None:
    with ApifyServer(actor_answers(world)) as server:
        client = ApifyClient("a-token", api_url=server.url)
        run_input = {"profiles": ["dreamtimelullabies"], "resultsPerPage": 30}
        run = client.actor(TIKTOK).call(run_input=run_input, logger=None)
        assert run is not None
        assert run.status == "SUCCEEDED"
        items = client.dataset(run.default_dataset_id).list_items().items
    assert items == world.scrape_rows("dreamtimelullabies", Platform.TIKTOK, "posts", world.end, 30)
