"""SUCCEEDED runs whose rows are errors, other people's, under another name, of another shape."""

from dataclasses import replace
from typing import Any

from pipeline.accounts import Platform
from pipeline.collect.outcomes import RunOutcome
from pipeline.collect.platform_interface import ActorKind
from pipeline.errors import Retry
from tests.collect.platform_samples import linkedin_row, reddit_row, x_row, youtube_row
from tests.collect.samples import instagram_profile, instagram_row, tiktok_row
from tests.faults.scenarios import (
    AS_BEFORE,
    FAULT,
    GOOD,
    NEXT,
    NOTHING,
    PART,
    WHOLE,
    Landed,
    Marts,
    Message,
    Next,
    Row,
    Scenario,
    rows,
)

_WHERE = "{account} on {platform} (handle {handle})"
_STAYS = "Its history stays; "

_ERROR_ROWS = [
    Scenario(f"error_row_{name}", outcome, Message(what, _WHERE, what_to_do), AS_BEFORE, retry,
             rows=(row,))
    for name, row, outcome, retry, what, what_to_do in (
        ("private", {"error": "Account is private", "errorCode": "PROFILE_PRIVATE"},
         RunOutcome.PRIVATE, Retry.NEVER,
         "is private or shows nothing: error row: Account is private: PROFILE_PRIVATE",
         _STAYS + "make the profile public"),
        ("not_found", {"url": "u", "error": "Profile does not exist", "errorCode": "NOT_FOUND"},
         RunOutcome.NOT_FOUND, Retry.NEVER, "There is no profile",
         _STAYS + "check the handle in account.yaml"),
        ("empty", {"error": "No videos", "errorCode": "PROFILE_EMPTY"},
         RunOutcome.EMPTY, Retry.NEVER, "shows no posts: error row: No videos",
         _STAYS + "look at the profile in a browser"),
        ("throttled", {"error": "Blocked: too many requests"}, RunOutcome.THROTTLED, Retry.LATER,
         "was blocked: error row: Blocked: too many requests", "try again later"),
        ("no_results", {"noResults": True}, RunOutcome.BLOCKED_BY_PLAN, Retry.NEVER,
         "The plan at Apify does not cover {actor}", "change the plan"),
        ("unknown", {"error": "Something odd"}, RunOutcome.FAILED, Retry.LATER,
         "only rows that cannot be used: error row: Something odd", "try again"),
    )
]  # fmt: skip

_BESIDE_POSTS = [
    Scenario("error_row_beside_posts", RunOutcome.NEW_POSTS,
             Message("1 rejected: error row: Something odd"), WHOLE,
             rows=(*rows(), {"error": "Something odd"}), new_posts=1,
             landed=Landed(post=4, rejected={"error row: Something odd": 1})),
    Scenario("throttled_beside_posts", RunOutcome.PARTIAL,
             Message("incomplete: the platform held rows back"), PART,
             rows=({"error": "Too many requests"}, *rows(2)), new_posts=0,
             landed=Landed(post=2, rejected={"error row: Too many requests": 1})),
    Scenario("no_results_beside_posts", RunOutcome.NEW_POSTS,
             Message("1 rejected: error row: no results"), WHOLE,
             rows=(*rows(), {"noResults": True}), new_posts=1,
             landed=Landed(post=4, rejected={"error row: no results": 1})),
    Scenario("rows_of_nothing", RunOutcome.FAILED,
             Message("only rows that cannot be used", _WHERE, "try again"), AS_BEFORE, Retry.LATER,
             rows=({}, {"authorMeta": {"name": "quietnights", "avatar": "a"}})),
]  # fmt: skip


def _by(author_id: str, name: str, number: int) -> Row:
    return tiktok_row(number, playCount=7000, authorMeta={"id": author_id, "name": name, "fans": 1})


_OTHER_AUTHORS = [
    Scenario("only_other_authors", RunOutcome.EMPTY, Message("2 of other authors"), AS_BEFORE,
             rows=(_by("99", "somebody", 7), _by("98", "anybody", 8)), new_posts=0,
             landed=Landed(foreign_post=2)),
    Scenario("other_authors_between", RunOutcome.NEW_POSTS, Message("1 of other authors"), WHOLE,
             rows=(*rows(2), _by("99", "somebody", 7), *rows()[2:]), new_posts=1,
             landed=Landed(post=4, foreign_post=1)),
    Scenario("own_posts_under_another_name", RunOutcome.RENAMED,
             Message("goes by 'calm.nights' now", _WHERE,
                     _STAYS + "write the new handle into account.yaml"),
             AS_BEFORE, Retry.NEVER,
             rows=tuple(_by("71", "calm.nights", number) for number in range(4)), new_posts=0,
             landed=Landed(foreign_post=4)),
    Scenario("another_name_of_an_unknown_owner", RunOutcome.EMPTY, Message("1 of other authors"),
             NOTHING, good_rows=(), rows=(_by("71", "calm.nights", 0),), new_posts=0,
             landed=Landed(foreign_post=1)),
    Scenario("another_author_in_an_incomplete_answer", RunOutcome.PARTIAL,
             Message("incomplete: the run ended as TIMED-OUT"), AS_BEFORE,
             rows=(_by("99", "somebody", 7),), run={"status": "TIMED-OUT"}, new_posts=0,
             landed=Landed(foreign_post=1, outcome="partial")),
    Scenario("reposts_of_the_profile", RunOutcome.NEW_POSTS, Message("1 rejected"), WHOLE,
             rows=(*rows(), tiktok_row(9, fromProfileSection="reposts")), new_posts=1,
             landed=Landed(post=4, rejected={
                 "from the profile's section 'reposts', not from its videos": 1})),
]  # fmt: skip


def _drifted(name: str, words: str, **change: Any) -> Scenario:
    return Scenario(
        f"drift_{name}",
        RunOutcome.SCHEMA_DRIFT,
        Message("kept, but not loaded, for the source has changed: " + words),
        replace(AS_BEFORE, snapshots=((GOOD, 3, 900), (NEXT, 4, 1100)), posts=4, listing=NEXT,
                states={"listed": 4}),
        rows=(*rows(3), tiktok_row(5, **change)),
        new_posts=0,
        landed=Landed(post=4, outcome="schema_drift", is_loaded=False),
        next=Next(ledger=("new_posts", "schema_drift", "new_posts")),
    )  # fmt: skip


_SHAPES = [
    _drifted("renamed_key", "missing keys: playCount", playCount=None, viewCount=900),
    _drifted("changed_type", "values of another type: playCount: text instead of a whole number",
             playCount="many"),
    _drifted("number_as_text", "values of another type: diggCount: text instead of a whole number",
             diggCount="12.3K"),
    _drifted("truth_as_number", "values of another type: collectCount: true or false instead",
             collectCount=True),
    _drifted("list_instead_of_author",
             "missing keys: authorMeta.name; values of another type: authorMeta: a list",
             authorMeta=[{"name": "quietnights"}]),
    Scenario("new_key", RunOutcome.NEW_POSTS, Message("new in the source: brandNewKey"),
             Marts((*WHOLE.snapshots, (NEXT, 4, 1100)), 4, NEXT, {"listed": 4}),
             rows=rows(brandNewKey=1), landed=Landed(post=4), new_posts=1,
             next=Next(RunOutcome.NO_NEW_POSTS, 0, unsaid="brandNewKey",
                       rows=rows(views=1100, brandNewKey=1),
                       ledger=("new_posts", "new_posts", "no_new_posts"))),
    Scenario("same_posts_twice", RunOutcome.NEW_POSTS, Message("Scraped 4 posts"), WHOLE,
             rows=(*rows(views=800), *rows()), landed=Landed(post=8), new_posts=1),
    Scenario("pinned_post_of_long_ago", RunOutcome.NO_NEW_POSTS, Message("Scraped 4 posts"),
             Marts(((GOOD, 3, 900), (FAULT, 4, 1000)), 4, FAULT, {"listed": 4}),
             rows=(tiktok_row(9, isPinned=True), *rows(3)), landed=Landed(post=4), new_posts=0),
    Scenario("falling_counts", RunOutcome.NO_NEW_POSTS, Message("0 new"),
             Marts(((GOOD, 3, 900), (FAULT, 3, 850)), 3, FAULT, drops=3), rows=rows(3, 850),
             landed=Landed(post=3), new_posts=0),
    Scenario("counts_of_zero", RunOutcome.NO_NEW_POSTS, Message("0 new"),
             Marts(((GOOD, 3, 900), (FAULT, 3, 1000)), 3, FAULT, zeros=3, drops=3),
             rows=rows(3, shareCount=0), landed=Landed(post=3), new_posts=0),
]  # fmt: skip

_NO_ITEMS: Row = {
    "url": "https://www.instagram.com/quietnights",
    "inputUrl": "https://www.instagram.com/quietnights",
    "requestErrorMessages": [],
    "error": "no_items",
    "errorDescription": "Empty or private data for provided input",
}
_IG_BEFORE = Marts(((GOOD, 2, None),), 2, GOOD, {"listed": 2}, profiles=(), nulls=6)
_IG_PROFILE_BEFORE = Marts((), 0, None, {}, profiles=(GOOD,))
_IG_POSTS = (instagram_row(0), instagram_row(1))


def _instagram(name: str, outcome: RunOutcome, message: Message, marts: Marts, **fields: Any):
    fields = {"good_rows": _IG_POSTS, "platform": Platform.INSTAGRAM, **fields}
    return Scenario(f"instagram_{name}", outcome, message, marts, **fields)


_INSTAGRAM = [
    _instagram("without_items", RunOutcome.PRIVATE,
               Message("error row: no_items: Empty or private data", _WHERE,
                       _STAYS + "make the profile public"),
               _IG_BEFORE, retry=Retry.NEVER, rows=(_NO_ITEMS,)),
    _instagram("hidden_likes", RunOutcome.NO_NEW_POSTS, Message("0 new"),
               Marts(((GOOD, 2, None), (FAULT, 2, None)), 2, FAULT, {"listed": 2}, profiles=(),
                     nulls=14),
               rows=(instagram_row(0, likesCount=-1), instagram_row(1, likesCount=-1)),
               landed=Landed(post=2), new_posts=0),
    _instagram("other_author", RunOutcome.EMPTY, Message("1 of other authors"), _IG_BEFORE,
               rows=(instagram_row(7, ownerUsername="somebody", ownerId="99"),), new_posts=0,
               landed=Landed(foreign_post=1)),
    _instagram("not_there", RunOutcome.NOT_FOUND,
               Message("error row: not_found: Page not found", _WHERE,
                       _STAYS + "check the handle in account.yaml"),
               _IG_PROFILE_BEFORE, retry=Retry.NEVER, kind=ActorKind.PROFILES,
               good_rows=(instagram_profile(),),
               rows=({"inputUrl": "u", "error": "not_found",
                      "errorDescription": "Page not found"},)),
    _instagram("profile_gone_private", RunOutcome.PRIVATE,
               Message("12,400 followers (the profile is private)"),
               replace(_IG_PROFILE_BEFORE, profiles=(GOOD, FAULT)), kind=ActorKind.PROFILES,
               good_rows=(instagram_profile(),),
               rows=(instagram_profile(private=True, followersCount=12400),),
               landed=Landed(profile=1), new_posts=0),
    _instagram("profile_of_another_handle", RunOutcome.FAILED,
               Message("the profile of another handle", _WHERE, "check that the handle is right"),
               _IG_PROFILE_BEFORE, retry=Retry.LATER, kind=ActorKind.PROFILES,
               good_rows=(instagram_profile(),),
               rows=(instagram_profile(username="somebody", id="56"),)),
]  # fmt: skip

_PLATFORMS = [
    Scenario(
        f"{platform.value}_no_results",
        RunOutcome.BLOCKED_BY_PLAN,
        Message("The plan at Apify does not cover {actor}", "{account} on {platform}",
                "change the plan, or remove the profile from account.yaml"),
        marts,
        Retry.NEVER,
        rows=({"noResults": True},) * 3,
        good_rows=(row,),
        platform=platform,
        handle_form=form,
    )
    for platform, row, form, marts in (
        (Platform.X, x_row(), "{}", Marts(((GOOD, 1, 500),), 1, GOOD, {"listed": 1})),
        (Platform.REDDIT, reddit_row(), "{}",
         Marts(((GOOD, 1, None),), 1, GOOD, {"listed": 1}, nulls=3)),
        (Platform.LINKEDIN, linkedin_row(), "company/{}",
         Marts(((GOOD, 1, None),), 1, GOOD, {"listed": 1}, nulls=2, zeros=1)),
        (Platform.YOUTUBE, youtube_row(), "{}",
         Marts(((GOOD, 1, 900),), 1, GOOD, {"listed": 1}, nulls=2)),
    )
]  # fmt: skip

ODD_ROWS = (*_ERROR_ROWS, *_BESIDE_POSTS, *_OTHER_AUTHORS, *_SHAPES, *_INSTAGRAM, *_PLATFORMS)
