"""Posts of drawn briefs: what is planted in an arm is in its posts, and nothing else changes."""

import json
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.accounts import AccountConfig, Platform, load_account
from pipeline.clients.state_experiments import assignment_rows
from pipeline.clients.warehouse import writing
from pipeline.collect.imports import import_file
from pipeline.collect.raw import load_raw
from pipeline.decide.briefs import Brief
from pipeline.decide.context import ensure_context
from pipeline.decide.experiment_draws import DrawRequest, draw_for_account
from pipeline.measure.build import build_models
from pipeline.settings import Settings
from pipeline.simulate.account_files import copy_accounts
from pipeline.simulate.answers import actor_answers
from pipeline.simulate.experiment_posts import (
    Planted,
    make_posts,
    with_drawn_posts,
    write_scrapes,
)
from pipeline.simulate.exports import POST_ACTORS
from pipeline.simulate.plans import AccountPlan, PlatformPlan
from pipeline.simulate.posts import DAYPART_HOURS, Post
from pipeline.simulate.world import World, build_world
from tests.fakes.running_experiments import add_running, registered

NAME = "slumbersongs"
FIRST = datetime(2026, 10, 5, 15, tzinfo=UTC)
DAYS, A_DAY = 14, 3
END = FIRST + timedelta(days=DAYS + 9)
EXPERIMENT = "exp_000000000001"
PLANTED = {f"{EXPERIMENT}/tried": Planted(views=1.6, saves=2.0)}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home whose account drew and made posts for two weeks."""
    settings = Settings(home=tmp_path_factory.mktemp("drawn"), lock_timeout_s=60)
    copy_accounts(settings.accounts_dir)
    account = load_account(settings.accounts_dir, NAME)
    ensure_context(settings, account, FIRST)
    add_running(settings, registered(account_name=NAME, draw_share=0.7))
    for day in range(DAYS):
        at = FIRST + timedelta(days=day)
        request = DrawRequest(number=A_DAY, seed=day, planned_at=at)
        briefs = draw_for_account(settings, account, request, at).briefs
        make_posts(settings.accounts_dir, account, [printed(one) for one in briefs], at)
    return settings


@pytest.fixture(scope="module")
def account(settings: Settings) -> AccountConfig:
    return load_account(settings.accounts_dir, NAME)


@pytest.fixture(scope="module")
def base(account: AccountConfig) -> World:
    """A world in which the account does nothing else."""
    plan = AccountPlan(
        platforms={
            Platform.TIKTOK: PlatformPlan(0.0, 4000.0, 9000, video_share=0.0),
            Platform.INSTAGRAM: PlatformPlan(0.0, 2000.0, 5000, video_share=0.0),
        }
    )
    return build_world(3, [account], plans={NAME: plan}, start=FIRST - timedelta(days=2), end=FIRST)


def printed(brief: Brief) -> dict[str, object]:
    """A brief as the command prints it."""
    told = json.dumps({**brief.to_json(), "stamp": brief.stamp()})
    return json.loads(told)


def stamps(settings: Settings) -> dict[str, dict[str, Any]]:
    """What every output folder says, by its topic."""
    folder = settings.accounts_dir / NAME / "output"
    found = [json.loads(path.read_bytes()) for path in sorted(folder.glob("*/meta.json"))]
    return {meta["topic"]: meta for meta in found}


def drawn(world: World) -> dict[str, Post]:
    return {post.caption.topic: post for post in world.profile_posts(NAME, Platform.TIKTOK)}


def test_every_folder_becomes_a_post_that_does_what_its_brief_said(
    settings: Settings, base: World
) -> None:
    metas, posts = (
        stamps(settings),
        drawn(with_drawn_posts(base, settings.accounts_dir, {}, end=END)),
    )
    assert len(metas) == DAYS * A_DAY
    assert posts.keys() == metas.keys()
    for topic, meta in metas.items():
        post = posts[topic]
        assert (post.format, post.pillar, post.slide_count) == (
            meta["format"], meta["pillar"], meta["slide_count"],
        )  # fmt: skip
        planned = datetime.fromisoformat(str(meta["published_at"]))
        assert planned.date() == post.local_at.date()
        assert timedelta(0) <= post.posted_at - planned < timedelta(minutes=26)


def test_a_brief_with_a_part_of_the_day_is_posted_in_it(
    settings: Settings, account: AccountConfig, tmp_path: Path, base: World
) -> None:
    (brief,) = draw_for_account(settings, account, DrawRequest(seed=0), FIRST).briefs
    for number, part in enumerate(DAYPART_HOURS):
        told = {**printed(brief), "daypart": part, "draw_id": f"drw_{number}"}
        at = FIRST + timedelta(days=number)
        make_posts(tmp_path, account, [told], at)
    posts = drawn(with_drawn_posts(base, tmp_path, {}, end=END)).values()
    by_day = sorted(posts, key=lambda post: post.posted_at)
    for post, (first, end) in zip(by_day, DAYPART_HOURS.values(), strict=True):
        assert first <= post.local_at.hour < end


def test_an_arms_posts_have_what_is_planted_in_it(settings: Settings, base: World) -> None:
    quiet: dict[str, Any] = {"end": END, "noise": 0.0}
    plain = drawn(with_drawn_posts(base, settings.accounts_dir, {}, **quiet))
    planted = drawn(with_drawn_posts(base, settings.accounts_dir, PLANTED, **quiet))
    by_arm = drawn(
        with_drawn_posts(base, settings.accounts_dir, {"tried": Planted(views=1.6)}, **quiet)
    )
    arms = {
        topic: meta.get("experiment", {}).get("arm") for topic, meta in stamps(settings).items()
    }
    assert set(arms.values()) == {None, "usual", "tried"}
    for topic, arm in arms.items():
        ratio = planted[topic].final_views / plain[topic].final_views
        assert ratio == pytest.approx(1.6 if arm == "tried" else 1.0)
        assert by_arm[topic].final_views == planted[topic].final_views
        saves = planted[topic].rates.saves / plain[topic].rates.saves
        assert saves == pytest.approx(2.0 if arm == "tried" else 1.0)
        assert planted[topic].rates.comments == plain[topic].rates.comments


def test_a_later_end_and_more_folders_change_no_earlier_post(
    settings: Settings, base: World
) -> None:
    early = drawn(
        with_drawn_posts(base, settings.accounts_dir, PLANTED, end=FIRST + timedelta(days=5))
    )
    late = drawn(with_drawn_posts(base, settings.accounts_dir, PLANTED, end=END))
    assert 5 <= len(early) < len(late)
    assert early.items() <= late.items()
    assert base.profile_posts(NAME, Platform.TIKTOK) == ()


def test_numbers_grow_from_scrape_to_scrape(
    settings: Settings, base: World, tmp_path: Path
) -> None:
    world = with_drawn_posts(base, settings.accounts_dir, PLANTED, end=END)
    moments = [END - timedelta(days=2), END]
    first, second = (
        {
            row["id"]: row.get("playCount")
            for row in json.loads(file.path.read_bytes())
            if "id" in row
        }
        for file in write_scrapes(world, tmp_path, NAME, Platform.TIKTOK, moments)
    )
    assert first.keys() == second.keys()
    assert len(first) == DAYS * A_DAY
    assert all(first[one] <= second[one] for one in first)


def test_the_simulated_actor_answers_with_them_too(
    settings: Settings, account: AccountConfig, base: World
) -> None:
    world = with_drawn_posts(base, settings.accounts_dir, PLANTED, end=END)
    asked = {"profiles": [account.platform_profiles[Platform.TIKTOK]], "resultsPerPage": 100}
    answer = actor_answers(world)(POST_ACTORS[Platform.TIKTOK], asked)
    ids = {row["id"] for row in answer.items if "id" in row}
    assert ids == {post.post_id for post in drawn(world).values()}
    assert answer.finished_at == END


def test_the_marts_say_for_which_arm_each_post_was_made(
    settings: Settings, account: AccountConfig, base: World, tmp_path: Path
) -> None:
    world = with_drawn_posts(base, settings.accounts_dir, PLANTED, end=END, views_sigma=0.2)
    moments = [FIRST + timedelta(days=day) for day in range(2, DAYS + 9)]
    for file in write_scrapes(world, tmp_path, NAME, Platform.TIKTOK, moments):
        import_file(settings, account, file.path, platform=file.platform)
    load_raw(settings)
    build_models(settings)

    rows = {row["assignment_id"]: row for row in assignment_rows(settings, EXPERIMENT)}
    with writing(settings, "a test") as connection:
        posts = connection.execute(
            "select post_id, experiment_id, experiment_arm, assignment_id, planned_id "
            "from marts.dim_post where account_name = ?",
            [NAME],
        ).fetchall()
        views = dict(
            connection.execute(
                "select posts.experiment_arm, avg(ln(outcomes.value)) "
                "from intermediate.int_post_outcomes as outcomes "
                "inner join intermediate.int_posts__labelled as posts "
                "using (account_name, platform, post_id) "
                "where outcomes.outcome = 'views_72h' and posts.experiment_id is not null "
                "group by 1"
            ).fetchall()
        )
    assert len(posts) == DAYS * A_DAY
    assert all(planned_id for *_, planned_id in posts), "every post is matched to its plan"
    made = {row[3]: row[2] for row in posts if row[1] is not None}
    assert {row[1] for row in posts} == {None, EXPERIMENT}
    assert made == {one: row["arm"] for one, row in rows.items()}
    assert [row[2:4] for row in posts if row[1] is None] == [(None, None)] * (
        len(posts) - len(made)
    )
    assert math.exp(views["tried"] - views["usual"]) == pytest.approx(1.6, rel=0.25)
