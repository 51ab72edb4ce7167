"""What a report calls up or down: seldom by chance, however many accounts it is about."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

import numpy as np

from pipeline.show.reports.periods.movement import (
    Direction,
    Movement,
    movements,
    overall,
    with_directions,
)
from pipeline.show.reports.periods.posts import ReportPost

REPORTS = 40
ACCOUNTS = 15
POSTS = 12


def post(count: float, *, known_at: int = 72, **more: object) -> ReportPost:
    values: dict[str, object] = {
        **dict.fromkeys(ReportPost.__dataclass_fields__),
        "account_name": "sleepy",
        "platform": "tiktok",
        "post_id": "1",
        "local_date": date(2026, 5, 12),
        "posted_at": datetime(2026, 5, 12, tzinfo=UTC),
        "is_ad": False,
        "views": {age: count if age == known_at else None for age in (24, 72, 168)},
        "engagements": {age: count * 0.1 if age == known_at else None for age in (24, 72, 168)},
        "engagement_terms": "likes+comments",
        "view_definition_id": "views",
        **more,
    }
    return ReportPost(**values)  # type: ignore[arg-type]


def week(rng: np.random.Generator, ratio: float = 1.0, count: int = POSTS) -> list[ReportPost]:
    hits = (rng.random(count) < 0.05) * rng.normal(3, 1, count)
    return [post(ratio * value) for value in np.exp(rng.normal(7.6, 0.9, count) + hits)]


def is_called(movement: Movement) -> bool:
    return movement.direction in (Direction.UP, Direction.DOWN)


def called(families: Sequence[Sequence[Movement]]) -> int:
    return sum(is_called(movement) for family in families for movement in family)


def test_reports_on_quiet_accounts_seldom_call_anything_up_or_down():
    rng = np.random.default_rng(11)
    with_account = with_headline = 0
    for _ in range(REPORTS):
        accounts = [movements(week(rng), week(rng)) for _ in range(ACCOUNTS)]
        with_account += called(with_directions(accounts)) > 0
        with_headline += called(with_directions([overall(accounts)])) > 0

    assert with_account / REPORTS <= 0.2
    assert with_headline / REPORTS <= 0.2


def test_a_threefold_is_found_among_many_quiet_accounts():
    rng = np.random.default_rng(12)
    found = 0
    for _ in range(10):
        accounts = [
            movements(week(rng, 3.0 if place < 3 else 1.0, 28), week(rng, count=28))
            for place in range(ACCOUNTS)
        ]
        directed = with_directions(accounts)
        found += sum(family[0].direction is Direction.UP for family in directed[:3])

    assert found / 30 >= 0.75


def test_the_age_is_that_at_which_most_posts_of_both_weeks_have_a_value():
    here = [post(100 + place, known_at=72) for place in range(6)]
    here += [post(100, known_at=168)] * 9
    before = [post(90 + place, known_at=72) for place in range(7)]
    before += [post(90, known_at=168)] * 2

    (views, _) = movements(here, before)

    assert (views.age_hours, views.n, views.former_n) == (72, 6, 7)


def test_the_newest_terms_decide_what_engagement_is():
    here = [post(100 + place, engagement_terms="likes+saves") for place in range(6)]
    before = [post(90 + place) for place in range(6)]

    (_, rate) = movements(here, before)

    assert (rate.n, rate.former_n) == (6, 0)
    assert rate.ratio is None


def test_posts_without_views_are_compared_by_their_engagements():
    rng = np.random.default_rng(13)
    unpublished = dict.fromkeys((24, 72, 168))

    def silent(count: int) -> list[ReportPost]:
        return [
            post(0, views=unpublished, view_definition_id=None,
                 engagements={24: None, 72: float(value), 168: None})
            for value in rng.integers(50, 500, count)
        ]  # fmt: skip

    (engagement,) = movements(silent(8), silent(9))

    assert (engagement.outcome, engagement.n, engagement.former_n) == ("engagement", 8, 9)
    assert engagement.ratio is not None


def test_a_small_movement_is_none_to_speak_of_however_sure():
    here = [post(1050 + place % 3) for place in range(30)]
    before = [post(1000 + place % 3) for place in range(30)]

    ((views, _),) = with_directions([movements(here, before)])

    assert views.ratio_low is not None
    assert views.ratio_low > 1.04
    assert views.direction is Direction.NO_CLEAR_CHANGE
