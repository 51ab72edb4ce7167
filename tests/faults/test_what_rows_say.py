"""SUCCEEDED runs whose rows are errors, other people's, under another name, of another shape."""

from typing import Any

import pytest

from pipeline.accounts import Platform
from pipeline.collect.outcomes import RunOutcome
from pipeline.collect.platform_registry import SOURCES
from pipeline.collect.scrape import used_actors
from pipeline.errors import Retry
from tests.collect.samples import instagram_profile, tiktok_row
from tests.faults.bench import Bench, Expected, open_bench, posts

IG_POSTS, IG_PROFILES, *_ = SOURCES[Platform.INSTAGRAM].actors
NO_ITEMS = {
    "url": "https://www.instagram.com/quietnights",
    "inputUrl": "https://www.instagram.com/quietnights",
    "requestErrorMessages": [],
    "error": "no_items",
    "errorDescription": "Empty or private data for provided input",
}
TIKTOK_ERRORS = {
    "private": ({"error": "Account is private", "errorCode": "PROFILE_PRIVATE"},
                RunOutcome.PRIVATE, Retry.NEVER),
    "not found": ({"url": "u", "error": "Profile does not exist", "errorCode": "NOT_FOUND"},
                  RunOutcome.NOT_FOUND, Retry.NEVER),
    "empty": ({"error": "No videos", "errorCode": "PROFILE_EMPTY"},
              RunOutcome.EMPTY, Retry.NEVER),
    "throttled": ({"error": "Blocked: too many requests"}, RunOutcome.THROTTLED, Retry.LATER),
    "no results": ({"noResults": True}, RunOutcome.BLOCKED_BY_PLAN, Retry.NEVER),
    "unknown": ({"error": "Something odd"}, RunOutcome.FAILED, Retry.LATER),
}  # fmt: skip


@pytest.mark.parametrize("what", TIKTOK_ERRORS)
def test_an_error_row_is_no_post_and_is_told_apart(bench: Bench, what: str):
    row, outcome, retry = TIKTOK_ERRORS[what]
    bench.check(Expected(RunOutcome.NEW_POSTS, scrapes=1, items=3))
    bench.says([row])
    bench.check(Expected(outcome, retry, words=("quietnights",), items=3, cost_usd="0.0105"))


def test_a_profile_of_instagram_without_items_is_private_and_its_history_stays(bench: Bench):
    bench.says([NO_ITEMS])
    bench.check(
        Expected(RunOutcome.PRIVATE, Retry.NEVER, words=("no_items", "history stays")),
        IG_POSTS,
        Platform.INSTAGRAM,
    )


def test_a_profile_of_instagram_that_is_not_there_is_not_found(bench: Bench):
    bench.says([{"inputUrl": "u", "error": "not_found", "errorDescription": "Page not found"}])
    bench.check(
        Expected(RunOutcome.NOT_FOUND, Retry.NEVER, words=("handle in account.yaml",)),
        IG_PROFILES,
        Platform.INSTAGRAM,
    )


def test_a_private_profile_still_tells_its_followers(bench: Bench):
    bench.says([instagram_profile(private=True)])
    bench.check(
        Expected(RunOutcome.PRIVATE, words=("private", "12,345"), scrapes=1, items=1),
        IG_PROFILES,
        Platform.INSTAGRAM,
    )


NO_RESULTS = {
    Platform.X: "quietnights",
    Platform.REDDIT: "quietnights",
    Platform.LINKEDIN: "in/quietnights",
    Platform.YOUTUBE: "quietnights",
}


@pytest.mark.parametrize("platform", NO_RESULTS, ids=lambda platform: platform.value)
def test_rows_of_no_results_are_the_plans_refusal_on_every_platform(tmp_path, platform: Platform):
    handle = NO_RESULTS[platform]
    with open_bench(tmp_path, platform_profiles={platform.value: handle}) as bench:
        bench.says([{"noResults": True}] * 3)
        actor = used_actors(bench.settings, bench.account, platform)[0]
        bench.check(
            Expected(RunOutcome.BLOCKED_BY_PLAN, Retry.NEVER, words=("plan",)), actor, platform
        )


def test_posts_of_other_authors_alone_are_no_posts_of_the_profile(bench: Bench):
    bench.says([tiktok_row(n, authorMeta={"id": "99", "name": "somebody"}) for n in range(2)])
    bench.check(Expected(RunOutcome.EMPTY, words=("2 of other authors",), scrapes=1, items=2))


def test_posts_of_other_authors_between_own_ones_do_not_count(bench: Bench):
    bench.says([*posts(2), tiktok_row(7, authorMeta={"id": "99", "name": "somebody", "fans": 1})])
    report = bench.scrape()
    assert (report.outcome, report.new_post_count) == (RunOutcome.NEW_POSTS, 2)


def _renamed(number: int) -> dict[str, Any]:
    author = {"id": "71", "name": "calm.nights", "fans": 1200, "verified": False}
    return tiktok_row(number, authorMeta=author)


def test_a_renamed_profile_is_known_by_its_owner(bench: Bench):
    bench.check(Expected(RunOutcome.NEW_POSTS, scrapes=1, items=3))
    bench.says([_renamed(number) for number in range(4)])
    bench.check(
        Expected(
            RunOutcome.RENAMED,
            Retry.NEVER,
            words=("calm.nights", "history stays", "account.yaml"),
            scrapes=1,
            items=7,
        )
    )


def test_the_same_name_of_an_unknown_owner_is_no_renaming(bench: Bench):
    bench.says([_renamed(0)])
    bench.check(Expected(RunOutcome.EMPTY, scrapes=1, items=1))


def test_an_error_row_beside_posts_that_says_blocked_makes_the_answer_a_part(bench: Bench):
    bench.says([*posts(2), {"error": "Too many requests"}])
    bench.check(Expected(RunOutcome.PARTIAL, scrapes=1, items=2, rejected=1))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"playCount": None}, "missing keys: playCount"),
        ({"playCount": "many"}, "playCount: text"),
    ],
    ids=["renamed key", "changed type"],
)
def test_rows_of_another_shape_are_kept_and_none_is_loaded(
    bench: Bench, change: dict[str, Any], words: str
):
    bench.check(Expected(RunOutcome.NEW_POSTS, scrapes=1, items=3))
    bench.says([*posts(2), tiktok_row(5, **change)])
    bench.check(Expected(RunOutcome.SCHEMA_DRIFT, words=(words,), scrapes=1, items=3))


def test_a_new_key_is_told_once(bench: Bench):
    bench.says([tiktok_row(brandNewKey=1)])
    first, second = bench.scrape(), bench.scrape()
    assert "brandNewKey" in first.line
    assert first.outcome is RunOutcome.NEW_POSTS
    assert "brandNewKey" not in second.line
