"""What a scenario left, beside what it should have left: five parts, each as plain values."""

import re
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pipeline.collect.retries import decide_retry, stops_the_others
from pipeline.errors import Retry
from tests.faults.bench import TOKEN, is_start
from tests.faults.scenarios import COST_USD, NEXT, Scenario
from tests.faults.stage import Performance, Stage

METRICS = ("view_count", "like_count", "comment_count", "share_count", "save_count")
_LONGEST_MESSAGE = 700

Values = Mapping[str, Any]


def stored(stage: Stage, one: Performance) -> Values:
    """The outcome in ledger, manifest and raw tables, the runs that were paid for, their costs."""
    fault, following = one.fault, one.steps.get(NEXT)
    manifest, attempt = fault.manifest, fault.attempt
    in_raw = {
        scrape_id: (run_outcome, outcome)
        for scrape_id, run_outcome, outcome in stage.rows(
            "select scrape_id, run_outcome, outcome from raw.scrapes where account_name = ?", one
        )
    }
    (costs,) = stage.rows(
        "select sum(cost_usd), sum(run_count), sum(unpriced_run_count) "
        "from stats.cost_ledger where account_name = ?",
        one,
    )
    return {
        "outcome": attempt["outcome"],
        "is open": attempt["finished_at"] is None,
        "cost": attempt["cost_usd"],
        "new posts": attempt["new_post_count"],
        "scrape is in the ledger": attempt["scrape_id"] == (manifest and manifest.scrape_id),
        "manifest": manifest and (manifest.run_outcome, manifest.outcome),
        "raw scrape": manifest and in_raw.get(manifest.scrape_id),
        "runs": len(fault.run_ids),
        "starts asked": sum(is_start(request) for request in fault.requests),
        "is aborted": bool(fault.aborts) and fault.aborts == fault.run_ids,
        "is known as aborted": attempt["run_status"] == "ABORTED",
        "in time": one.scenario.most_s is None or fault.took_s < one.scenario.most_s,
        "next": following
        and (
            following.attempt["outcome"],
            following.attempt["new_post_count"],
            len(following.run_ids),
            following.error and str(following.error),
            one.scenario.next is not None and one.scenario.next.unsaid in following.told,
        ),
        "ledger": stage.rows(
            "select outcome, finished_at is null from raw.state_scrape_attempts "
            "where account_name = ? order by intended_at, attempt_id",
            one,
        ),
        "costs": costs,
    }


def stored_as_it_should(scenario: Scenario) -> Values:
    """The same, by the table."""
    landed, following = scenario.landed, scenario.next
    told = landed and (scenario.outcome.value, landed.outcome)
    begun = bool(scenario.good_rows) + scenario.starts + (following.starts if following else 0)
    unpriced = int(scenario.cost_usd is None and following is None)
    return {
        "outcome": scenario.outcome.value,
        "is open": scenario.is_open,
        "cost": scenario.cost_usd,
        "new posts": scenario.new_posts,
        "scrape is in the ledger": True,
        "manifest": told,
        "raw scrape": told,
        "runs": scenario.starts,
        "starts asked": scenario.asked,
        "is aborted": scenario.is_aborted,
        "is known as aborted": scenario.is_aborted or scenario.run.get("status") == "ABORTED",
        "in time": True,
        "next": following
        and (following.outcome.value, following.new_posts, following.starts, None, False),
        "ledger": [
            (outcome, scenario.is_open and not following and number == len(scenario.ledger) - 1)
            for number, outcome in enumerate(scenario.ledger)
        ],
        "costs": (Decimal(COST_USD) * (begun - unpriced), len(scenario.ledger), unpriced),
    }


def retry(one: Performance) -> Values:
    """What the error that was raised says about trying again, and what is decided by it."""
    error = one.fault.error
    return {
        "error": error and error.retry,
        "is tried again": error is not None and decide_retry([error], 0).is_worth_it,
        "stops the others": error is not None and stops_the_others(error),
    }


def retry_as_it_should(scenario: Scenario) -> Values:
    """The same, by the table."""
    return {
        "error": scenario.retry,
        "is tried again": scenario.retry is Retry.LATER,
        "stops the others": scenario.stops_others,
    }


def landed(stage: Stage, one: Performance) -> Values:
    """The rows of the fault's own scrape, in landing and in the raw tables."""
    scrapes = stage.rows("select count(*) from raw.scrapes where account_name = ?", one)[0][0]
    manifest = one.fault.manifest
    if manifest is None:
        return {"scrapes": scrapes}
    of_scrape = f"from raw.{{}} where account_name = ? and scrape_id = '{manifest.scrape_id}'"
    kinds = stage.rows(
        f"select item_kind, count(*) {of_scrape.format('scrape_items')} group by 1", one
    )
    reasons = stage.rows(f"select reason {of_scrape.format('rejected_items')}", one)
    return {
        "scrapes": scrapes,
        "rows": manifest.items_got,
        "by the manifest": Counter(
            post=manifest.post_count,
            foreign_post=manifest.foreign_post_count,
            profile=manifest.profile_count,
        ),
        "reasons by the manifest": manifest.rejected_reasons,
        "items": Counter(dict(kinds)),
        "rejected": Counter(reason for (reason,) in reasons),
        "run": (manifest.run_id in one.fault.run_ids, manifest.run_status),
    }


def landed_as_it_should(scenario: Scenario) -> Values:
    """The same, by the table."""
    expected = scenario.landed
    following = scenario.next.scrapes if scenario.next else 0
    scrapes = bool(scenario.good_rows) + (expected is not None) + following
    if expected is None:
        return {"scrapes": scrapes}
    kinds = Counter(
        post=expected.post, foreign_post=expected.foreign_post, profile=expected.profile
    )
    return {
        "scrapes": scrapes,
        "rows": expected.row_count,
        "by the manifest": kinds,
        "reasons by the manifest": expected.rejected,
        "items": kinds if expected.is_loaded else Counter(),
        "rejected": Counter(expected.rejected),
        "run": (True, scenario.run.get("status", "SUCCEEDED")),
    }


def marts(stage: Stage, one: Performance) -> Values:
    """What the marts hold of the account, by whose run it was observed."""

    def when(moment: Any) -> str | None:
        return None if moment is None else one.ended_at.get(moment, f"invented: {moment}")

    snapshots = stage.rows(
        "select scraped_at, count(*), max(view_count) from marts.fct_snapshot "
        "where account_name = ? group by 1 order by 1",
        one,
    )
    each = " + ".join(f"count(*) filter ({metric} {{0}})" for metric in METRICS)
    (counts,) = stage.rows(
        f"select {each.format('= 0')}, {each.format('is null')}, "
        "count(*) filter (has_count_drop) from marts.fct_snapshot where account_name = ?",
        one,
    )
    listings = stage.rows(
        "select distinct newest_listing_at from marts.fct_post_listing where account_name = ?", one
    )
    states = stage.rows(
        "select listing_state, count(*) from marts.fct_post_listing where account_name = ? "
        "group by 1",
        one,
    )
    profiles = stage.rows(
        "select scraped_at from marts.fct_profile_snapshot where account_name = ? order by 1", one
    )
    (posts,) = stage.rows(
        "select count(*), min(first_seen_at), max(last_seen_at), sum(snapshot_count) "
        "from marts.dim_post where account_name = ?",
        one,
    )
    (performance,) = stage.rows(
        "select count(*), max(view_count), count(*) filter (view_count < 0 or like_count < 0) "
        "from marts.fct_post_performance where account_name = ?",
        one,
    )
    return {
        "snapshots": [(when(moment), count, views) for moment, count, views in snapshots],
        "zeros, nulls, drops": counts,
        "posts": posts[0],
        "first seen": when(posts[1]),
        "last seen": when(posts[2]),
        "seen": posts[3],
        "performance": performance,
        "listing": [when(moment) for (moment,) in listings],
        "states": dict(states),
        "profiles": [when(moment) for (moment,) in profiles],
    }


def marts_as_it_should(scenario: Scenario) -> Values:
    """The same, by the table."""
    expected = scenario.marts
    scrapes = [when for when, _, _ in expected.snapshots]
    newest = expected.snapshots[-1][2] if expected.snapshots else None
    return {
        "snapshots": list(expected.snapshots),
        "zeros, nulls, drops": (expected.zeros, expected.nulls, expected.drops),
        "posts": expected.posts,
        "first seen": scrapes[0] if scrapes else None,
        "last seen": scrapes[-1] if scrapes else None,
        "seen": sum(count for _, count, _ in expected.snapshots) or None,
        "performance": (expected.posts, newest, 0),
        "listing": [expected.listing] if expected.listing else [],
        "states": dict(expected.states),
        "profiles": scrapes if expected.profiles is None else list(expected.profiles),
    }


def message(stage: Stage, one: Performance) -> Values:
    """Whether it is one line that says what failed, where, and what to do, and tells no secret."""
    fault, scenario = one.fault, one.scenario
    told, expected = fault.told, scenario.message
    known = {
        "account": one.account_name,
        "handle": scenario.handle_form.format(one.handle),
        "platform": scenario.platform.value,
        "actor": fault.attempt["actor_id"],
        "run": fault.run_ids[0] if fault.run_ids else "(no run)",
        "url": scenario.url or stage.url,
    }
    words = [
        part.format(**known)
        for part in (expected.what, expected.where, expected.what_to_do)
        if part is not None
    ]
    kept = [str(value) for step in one.steps.values() for value in step.attempt.values()]
    return {
        "missing": [part for part in words if part not in told],
        "has advice": expected.what_to_do is not None,
        "is in the ledger": not fault.error or fault.attempt["message"] == told,
        "is one line": bool(re.fullmatch(r"[A-Z].+", told)) and len(told) <= _LONGEST_MESSAGE,
        "ends": told.endswith("."),
        "leftovers": re.findall(r"None|Traceback|  |[{}]", told),
        "tells the token": any(TOKEN in text for text in (told, *kept)),
    }


def message_as_it_should(scenario: Scenario) -> Values:
    """The same, by the table: an error ends in advice, a report needs none."""
    return {
        "missing": [],
        "has advice": scenario.retry is not None,
        "is in the ledger": True,
        "is one line": True,
        "ends": scenario.retry is not None,
        "leftovers": [],
        "tells the token": False,
    }
