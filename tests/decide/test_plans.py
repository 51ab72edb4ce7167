"""Action plans: made, followed, compared with what came, and never overwritten unseen."""

import math
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import duckdb
import pytest
from scipy import stats

from pipeline.decide.plans import planning
from pipeline.decide.plans.from_recommendation import plan_from_recommendation
from pipeline.decide.plans.outcomes import MIN_POSTS, actual_outcome
from pipeline.decide.plans.plan import (
    MAX_ITEMS,
    ItemDraft,
    Plan,
    PlanDraft,
    PlanStatus,
    PostKey,
    Projection,
    Urgency,
    progress,
)
from pipeline.errors import PlanConflictError, PlanError, PlanNotFoundError
from pipeline.learn.operations import SetFormatWeight
from pipeline.settings import Settings
from tests.fakes.published import ACCOUNT
from tests.fakes.recommendations import add_pending

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
TODAY = date(2026, 11, 20)


def _made(settings: Settings, *titles: str, projected: Projection | None = None) -> Plan:
    items = tuple(ItemDraft(title) for title in titles or ("write", "film", "post"))
    draft = PlanDraft(
        account_name=ACCOUNT, name="More guides", goal="See", items=items, projected=projected
    )
    return planning.create_plan(settings, draft, by="ann", now=NOW)


def test_a_plan_is_as_it_was_made(settings: Settings):
    made = _made(settings, projected=Projection("views_7d", ratio=1.3))

    read = planning.get_plan(settings, made.plan_id)
    assert read == made
    assert [item.title for item in read.items] == ["write", "film", "post"]
    assert (read.version, read.progress_percentage, read.status) == (1, 0, PlanStatus.ACTIVE)
    assert read.projected == Projection("views_7d", ratio=1.3)


def test_reading_makes_no_database(settings: Settings):
    assert planning.list_plans(settings) == ([], 0)
    with pytest.raises(PlanNotFoundError):
        planning.get_plan(settings, "plan_1")
    assert not (settings.warehouse_dir / "state.db").exists()


@pytest.mark.parametrize(
    ("completed", "percent"),
    [
        ([], 0),
        ([False], 0),
        ([True], 100),
        ([True, False, False], 33),
        ([True] * 99 + [False], 99),
    ],
)
def test_progress_is_full_only_when_everything_is_done(completed: list[bool], percent: int):
    assert progress(completed) == percent


def test_ticking_off_recomputes_progress_and_twice_is_once(settings: Settings):
    plan = _made(settings)
    first = plan.items[0].item_id

    once = planning.set_completed(settings, first, True, by="ann", now=LATER)
    twice = planning.set_completed(settings, first, True, by="bob", now=LATER)
    reopened = planning.set_completed(settings, first, False, by="bob", now=LATER)

    assert (once.progress_percentage, once.completed_count) == (33, 1)
    assert twice == once
    assert once.item(first).completed_by == "ann"
    assert (reopened.progress_percentage, reopened.item(first).completed_at) == (0, None)
    assert reopened.version == 3


def test_a_removed_or_added_item_changes_the_progress(settings: Settings):
    plan = _made(settings, "a", "b")
    planning.set_completed(settings, plan.items[0].item_id, True, by="ann", now=LATER)

    smaller = planning.remove_item(settings, plan.items[1].item_id, version=None, now=LATER)
    larger = planning.add_item(settings, plan.plan_id, ItemDraft("c"), by="ann", now=LATER)

    assert (smaller.progress_percentage, larger.progress_percentage) == (100, 50)
    assert [item.title for item in larger.items] == ["a", "c"]


def test_a_change_from_an_older_version_is_refused_and_changes_nothing(settings: Settings):
    plan = _made(settings)
    seen = planning.change_plan(
        settings, plan.plan_id, {"name": "Mine"}, version=plan.version, now=LATER
    )

    with pytest.raises(PlanConflictError, match="version 2"):
        planning.change_plan(
            settings, plan.plan_id, {"name": "Yours"}, version=plan.version, now=LATER
        )

    assert planning.get_plan(settings, plan.plan_id) == seen
    assert seen.name == "Mine"


def test_of_many_writers_from_one_version_one_wins(settings: Settings):
    plan = _made(settings)

    def write(number: int) -> str | None:
        try:
            planning.change_plan(
                settings, plan.plan_id, {"notes": str(number)}, version=1, now=LATER
            )
        except PlanConflictError:
            return None
        return str(number)

    with ThreadPoolExecutor(8) as pool:
        won = [name for name in pool.map(write, range(16)) if name is not None]

    assert len(won) == 1
    assert planning.get_plan(settings, plan.plan_id).notes == won[0]


def test_two_who_tick_off_and_retry_changes_lose_nothing(settings: Settings):
    plan = _made(settings, *(f"step {number}" for number in range(12)))

    def tick(place: int) -> None:
        planning.set_completed(settings, plan.items[place].item_id, True, by="x", now=LATER)

    def note(number: int) -> None:
        while True:
            seen = planning.get_plan(settings, plan.plan_id)
            try:
                planning.change_plan(
                    settings,
                    plan.plan_id,
                    {"notes": f"{seen.notes or ''} {number}"},
                    version=seen.version,
                    now=LATER,
                )
            except PlanConflictError:
                continue
            return

    with ThreadPoolExecutor(6) as pool:
        for done in [pool.submit(tick, place) for place in range(12)] + [
            pool.submit(note, number) for number in range(8)
        ]:
            done.result()

    after = planning.get_plan(settings, plan.plan_id)
    assert after.progress_percentage == 100
    assert sorted((after.notes or "").split()) == [str(number) for number in range(8)]
    assert after.version == 1 + 12 + 8


def test_the_status_keeps_when_it_was_completed(settings: Settings):
    plan = _made(settings)

    done = planning.change_plan(
        settings, plan.plan_id, {"status": "completed"}, version=1, now=LATER
    )
    again = planning.change_plan(settings, plan.plan_id, {"status": "active"}, version=2, now=LATER)

    assert done.completed_at == LATER
    assert again.completed_at is None
    found, total = planning.list_plans(settings, status=PlanStatus.COMPLETED)
    assert (found, total) == ([], 0)


def test_items_are_put_in_another_order_as_a_whole(settings: Settings):
    plan = _made(settings)
    ids = [item.item_id for item in plan.items][::-1]

    after = planning.reorder(settings, plan.plan_id, ids, version=1, now=LATER)

    assert [item.title for item in after.items] == ["post", "film", "write"]
    with pytest.raises(PlanError):
        planning.reorder(settings, plan.plan_id, ids[:2], version=2, now=LATER)


def test_a_deleted_plan_is_gone_with_its_items(settings: Settings):
    plan = _made(settings)
    planning.link_post(settings, plan.items[0].item_id, PostKey("tiktok", "1"), by="ann", now=LATER)

    planning.delete_plan(settings, plan.plan_id, version=2, now=LATER)

    for look in (
        lambda: planning.get_plan(settings, plan.plan_id),
        lambda: planning.plan_of_item(settings, plan.items[0].item_id),
    ):
        with pytest.raises(PlanNotFoundError):
            look()


def test_urgency_goes_by_the_days_that_are_left(settings: Settings):
    due = [None, -1, 0, 3, 4]
    items = tuple(
        ItemDraft("x", due_date=None if days is None else TODAY + timedelta(days)) for days in due
    )
    draft = PlanDraft(account_name=ACCOUNT, name="x", goal="", items=items)
    plan = planning.create_plan(settings, draft, by="ann", now=NOW)
    after = planning.set_completed(settings, plan.items[1].item_id, True, by="ann", now=LATER)

    assert [item.urgency(TODAY) for item in plan.items] == [
        Urgency.NO_DATE, Urgency.OVERDUE, Urgency.SOON, Urgency.SOON, Urgency.LATER,
    ]  # fmt: skip
    assert after.items[1].urgency(TODAY) is Urgency.DONE


@pytest.mark.parametrize(
    "draft",
    [
        ItemDraft("  \u200b\n ".replace("\u200b", "")),
        ItemDraft("x" * 301),
        ItemDraft("x", estimated_hours=0),
        ItemDraft("x", estimated_hours=math.inf),
        ItemDraft("x", posts=(PostKey("tiktok", "../../etc/passwd"),)),
        ItemDraft("x", posts=(PostKey("nowhere", "1"),)),
    ],
)
def test_what_cannot_be_kept_is_refused_whole(settings: Settings, draft: ItemDraft):
    with pytest.raises(PlanError):
        planning.create_plan(
            settings, PlanDraft(ACCOUNT, "x", "", (ItemDraft("good"), draft)), by="ann", now=NOW
        )
    assert planning.list_plans(settings) == ([], 0)


def test_a_plan_has_room_for_so_many_items(settings: Settings):
    plan = _made(settings, *(["x"] * MAX_ITEMS))

    with pytest.raises(PlanError, match="at most"):
        planning.add_item(settings, plan.plan_id, ItemDraft("y"), by="ann", now=LATER)


def test_a_recommendation_becomes_a_plan_with_its_own_projection(settings: Settings):
    recommendation = add_pending(settings, SetFormatWeight(format="step_guide", weight=1.4))
    finding = {
        "platform": "tiktok", "dimension": "format", "segment": "step_guide", "direction": "better",
        "outcome": "views_7d", "effect": 1.4, "effect_low": 1.17, "effect_high": 1.68, "n": 47,
    }  # fmt: skip
    better = plan_from_recommendation(
        recommendation.model_copy(update={"findings": [finding]}), TODAY
    )
    worse = plan_from_recommendation(
        recommendation.model_copy(update={"findings": [{**finding, "direction": "worse"}]}), TODAY
    )

    assert better.source_id == recommendation.recommendation_id
    assert better.projected is not None
    assert (better.projected.ratio, better.projected.ratio_low, better.projected.n) == (
        1.4, 1.17, 47,
    )  # fmt: skip
    assert [item.due_date for item in better.items] == sorted(
        item.due_date for item in better.items if item.due_date
    )
    assert worse.projected is not None
    assert worse.projected.ratio is None


def _copy(linked: int) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(
        "create schema marts; create schema stats; create schema intermediate;"
        "create table stats.build_info as select 'v7' as warehouse_version;"
        "create table intermediate.int_post_outcomes as select 'sleepy' as account_name, "
        "'tiktok' as platform, i::varchar as post_id, 'views_7d' as outcome, "
        "(100 + 7 * (i % 13)) * case when i < ? then 2.0::double else 1.0 end as value, "
        "ln(value + 1) as log_value_pulled_in from range(40) as posts (i)",
        [linked],
    )
    connection.execute(
        "create table marts.fct_post_performance as select account_name, platform, post_id, "
        "timestamptz '2026-11-01 00:00Z' as posted_at, 400.0 as age_hours "
        "from intermediate.int_post_outcomes "
        "union all select 'sleepy', 'tiktok', 'young', timestamptz '2026-11-19 00:00Z', 20.0"
    )
    return connection


def _linked(settings: Settings, *post_ids: str) -> Plan:
    plan = _made(settings, "post", projected=Projection("views_7d", ratio=1.5))
    for post_id in post_ids:
        plan = planning.link_post(
            settings, plan.items[0].item_id, PostKey("tiktok", post_id), by="ann", now=LATER
        )
    return plan


def test_the_outcome_is_a_t_interval_against_the_other_posts(settings: Settings):
    plan = _linked(settings, "0", "1", "2", "3")
    connection = _copy(linked=4)

    actual = actual_outcome(connection, plan)
    rows = connection.execute(
        "select post_id::int < 4, log_value_pulled_in from intermediate.int_post_outcomes"
    ).fetchall()
    own, others = ([log for is_own, log in rows if is_own is side] for side in (True, False))
    expected = stats.ttest_ind(own, others).confidence_interval(0.9)

    assert (actual.n, actual.usual_n) == (4, 36)
    assert actual.ratio == pytest.approx(math.exp(sum(own) / len(own) - sum(others) / len(others)))
    assert (actual.ratio_low, actual.ratio_high) == pytest.approx(
        (math.exp(expected.low), math.exp(expected.high))
    )
    assert actual.against(1.5) == "met"
    assert actual.against(9.0) == "missed"
    assert actual.warehouse_version == "v7"


def test_few_posts_stand_alone_and_say_how_many_are_missing(settings: Settings):
    plan = _linked(settings, "0", "young", "unseen")

    connection = _copy(linked=1)
    (usual,) = connection.execute(
        "select median(value) from intermediate.int_post_outcomes where post_id <> '0'"
    ).fetchall()[0]

    actual = actual_outcome(connection, plan)

    assert actual.ratio is None
    assert actual.missing is not None
    assert actual.missing.startswith(str(MIN_POSTS - 1))
    assert actual.against(1.5) == "cannot_tell"
    by_id = {one.post.post_id: one for one in actual.posts}
    assert by_id["0"].ratio == pytest.approx(200 / usual)
    assert by_id["young"].missing == "younger than 168 hours"
    assert not by_id["unseen"].is_known
    assert by_id["unseen"].missing == "no scrape has seen it yet"


def test_a_post_is_linked_once(settings: Settings):
    plan = _linked(settings, "0", "0")

    assert plan.posts == (PostKey("tiktok", "0"),)
    assert plan.version == 2
    after = planning.unlink_post(settings, plan.items[0].item_id, PostKey("tiktok", "0"), now=LATER)
    assert after.posts == ()
