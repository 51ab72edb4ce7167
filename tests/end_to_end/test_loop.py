"""The whole loop, for real: local services, landing files, dbt, statistics, a decision, a file."""

import html
import json
import math
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest
from pydantic import SecretStr

from pipeline.accounts import Platform, account_names, load_account
from pipeline.clients.warehouse import published_version, reading
from pipeline.clock import utc_now
from pipeline.collect.cadence import direct_looks
from pipeline.collect.scrape import scrape_posts
from pipeline.decide.context import context_path, revert
from pipeline.decide.review import approve, pending
from pipeline.definitions import build_defs
from pipeline.defs.runs import (
    RunFailedError,
    instance_dir,
    open_instance,
    run_build,
    run_daily,
    run_recommend,
    run_scrape,
)
from pipeline.learn.findings import Direction, find, ratio_text
from pipeline.learn.recommend import recommend_all
from pipeline.measure.effects import FALSE_DISCOVERY_RATE
from pipeline.settings import Settings
from pipeline.show.dashboard.write import write_dashboard
from pipeline.simulate.account_files import copy_accounts
from pipeline.simulate.answers import actor_answers
from pipeline.simulate.apify_server import ActorAnswer, ApifyServer
from pipeline.simulate.truth import DIMENSIONS
from pipeline.simulate.world import World, build_world
from tests.end_to_end.fingerprints import mart_fingerprints
from tests.end_to_end.small_world import landed_home
from tests.fakes.claude_server import ClaudeServer
from tests.fakes.model_replies import replayed
from tests.fakes.recomputed import wrong_figures
from tests.fakes.stored_evidence import assert_recomputed

TOKEN = "planted-secret-8c1d"
ACCOUNT = "dreamtimelullabies"


@dataclass(frozen=True)
class Loop:
    """A home after one daily run and one weekly run."""

    settings: Settings
    world: World
    server: ApifyServer
    daily_lines: tuple[str, ...]
    weekly_lines: tuple[str, ...]


@pytest.fixture(scope="module")
def loop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loop]:
    """History landed, the last scrape from the local server, built, recommended."""
    world = build_world()
    with ApifyServer(actor_answers(world)) as server:
        landed = landed_home(tmp_path_factory.mktemp("loop"), world, every=1)
        settings = landed.model_copy(
            update={"apify_token": SecretStr(TOKEN), "apify_api_base_url": server.url}
        )
        names = account_names(settings.accounts_dir)
        daily = run_daily(settings, names)
        weekly = run_recommend(settings, names)
        yield Loop(settings, world, server, daily.lines, weekly.lines)


def test_each_profile_was_scraped_once_and_says_what_was_new(loop: Loop) -> None:
    assert len(loop.server.starts) == 7 + 3  # posts of 7 profiles, and 3 Instagram profiles
    line = next(line for line in loop.daily_lines if "for dreamtimelullabies on tiktok" in line)
    assert line.startswith("Scraped 30 posts for dreamtimelullabies on tiktok, ")
    assert line.endswith(" new")


def test_every_post_of_the_world_is_in_the_marts(loop: Loop) -> None:
    with reading(loop.settings) as connection:
        stored = {
            tuple(row)
            for row in connection.execute(
                "select account_name, platform, post_id from marts.dim_post"
            ).fetchall()
        }
    posts = {(post.account_name, post.platform.value, post.post_id) for post in loop.world.posts}

    assert stored <= posts
    assert len(stored) >= 0.99 * len(posts)


def test_findings_have_the_planted_sign_and_noise_has_none(loop: Loop) -> None:
    with reading(loop.settings) as connection:
        findings = [
            finding
            for name in account_names(loop.settings.accounts_dir)
            for finding in find(connection, name)
        ]
    assert len(findings) >= 10
    for finding in findings:
        planted = loop.world.truth.planted_effect(
            finding.account_name,
            finding.platform,
            finding.dimension,
            finding.segment,
            finding.outcome,
        )
        assert (planted is None) == (finding.dimension not in DIMENSIONS)
        assert planted is None or (planted > 1) == (finding.effect > 1), finding.sentence
        assert finding.effect_low <= finding.effect <= finding.effect_high
    assert not [finding for finding in findings if finding.account_name == "slumbersongs"]
    # Nothing is planted in other dimensions. Hook styles follow the captions' templates; of the
    # rest, as much as one finding in twenty may be luck.
    luck = [one for one in findings if one.dimension not in (*DIMENSIONS, "hook_style")]
    assert len(luck) <= math.ceil(len(findings) * FALSE_DISCOVERY_RATE)


def test_the_dashboard_says_what_was_found_and_what_waits(loop: Loop) -> None:
    name = "dreamtimelullabies"
    with reading(loop.settings) as connection:
        best = next(one for one in find(connection, name) if one.direction is Direction.BETTER)
    first, *_ = pending(loop.settings, name)

    page = html.unescape(write_dashboard(loop.settings, name).read_text(encoding="utf-8"))

    assert f"<strong>{ratio_text(best.effect)}</strong> the usual {best.outcome_words}" in page
    assert first.insight in page
    assert "scores-0" in page  # every panel but the verdicts has something to show
    assert page.count("Not enough data") == 0
    assert write_dashboard(loop.settings, None).stat().st_size < 3_000_000


def test_the_account_without_effects_is_told_that_there_is_nothing(loop: Loop) -> None:
    (line,) = [line for line in loop.weekly_lines if line.startswith("slumbersongs")]
    assert "nothing to recommend" in line


def test_every_figure_of_every_recommendation_is_what_its_query_gives(loop: Loop) -> None:
    compared, categories = 0, set()
    with reading(loop.settings) as connection:
        for name in account_names(loop.settings.accounts_dir):
            for recommendation in pending(loop.settings, name):
                compared += assert_recomputed(connection, recommendation)
                categories.add(recommendation.category)
    assert compared >= 50
    assert len(categories) >= 3


@pytest.mark.parametrize("writer", ["rules", "claude"])
def test_every_figure_is_recomputed_whoever_words_it(
    loop: Loop, tmp_path: Path, writer: str
) -> None:
    """All accounts of the world, their first week: once by the rules, once by replayed answers."""
    settings = Settings(home=tmp_path, lock_timeout_s=60, anthropic_batches=True)
    copy_accounts(settings.accounts_dir)
    settings.warehouse_dir.mkdir()
    settings.published_dir.symlink_to(loop.settings.published_dir)
    names = account_names(settings.accounts_dir)
    with ClaudeServer(replayed) as server:
        asking = server.settings(settings) if writer == "claude" else settings
        run = recommend_all(asking, names, now=utc_now())
    made = [item for report in run.reports.values() for item in report.recommendations]

    assert run.errors == {}
    assert len(made) >= 10
    assert {report.reason for report in run.reports.values() if report.written} == {None}
    assert {item.writer.value for item in made} == {writer}
    assert len(server.batching.batches) == (writer == "claude")
    for item in made:
        assert wrong_figures(settings, item) == [], item.headline


def test_scraping_the_same_answer_again_changes_no_mart_and_no_context(loop: Loop) -> None:
    before = mart_fingerprints(loop.settings.database_path)
    contexts = _contexts(loop)
    again = run_daily(loop.settings, account_names(loop.settings.accounts_dir))

    assert all(", 0 new" in line for line in again.lines if " posts for " in line)
    assert mart_fingerprints(loop.settings.database_path) == before
    assert _contexts(loop) == contexts


def _contexts(loop: Loop) -> dict[str, bytes]:
    names = account_names(loop.settings.accounts_dir)
    return {name: context_path(loop.settings, name).read_bytes() for name in names}


@dataclass(frozen=True)
class Approved:
    """The file of a context that a decision changed, as it was and as it is."""

    path: Path
    before: bytes
    after: bytes


@pytest.fixture(scope="module")
def approved(loop: Loop) -> Approved:
    """The context after a format's weight was approved."""
    path = context_path(loop.settings, ACCOUNT)
    before = path.read_bytes()
    recommendation = next(
        item for item in pending(loop.settings, ACCOUNT) if item.category == "format_weight"
    )
    approve(loop.settings, recommendation.recommendation_id, by="test", now=utc_now())
    return Approved(path, before, path.read_bytes())


def test_an_approval_changes_what_it_decided_and_its_evidence(approved: Approved) -> None:
    before, after = json.loads(approved.before), json.loads(approved.after)
    changed = {key for key in after if after[key] != before.get(key)}
    assert "format_weights" in changed
    assert changed <= {
        "format_weights",
        "last_updated",
        "sample_size",
        "approved_recommendations",
        "context_id",
        "warehouse_version",
        "exploration",
        "evidence",
        "valid_until",
    }


def test_a_query_answers_while_a_build_writes_and_no_context_changes(
    loop: Loop, approved: Approved
) -> None:
    with reading(loop.settings) as connection:
        expected = connection.execute("select count(*) from marts.fct_snapshot").fetchall()
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline.show.cli.main", "build"],
        env={
            **os.environ,
            "AFTERPOST_HOME": str(loop.settings.home),
            "PYTHONWARNINGS": "ignore",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    answers = 0
    while process.poll() is None:
        with reading(loop.settings) as connection:
            assert (
                connection.execute("select count(*) from marts.fct_snapshot").fetchall() == expected
            )
        answers += 1
        # Without a pause the queries take more of the machine than the build.
        threading.Event().wait(0.2)

    assert process.returncode == 0
    assert answers > 10
    assert approved.path.read_bytes() == approved.after


def test_a_context_reverts_to_the_byte(loop: Loop, approved: Approved) -> None:
    assert approved.path.read_bytes() == approved.after
    revert(loop.settings, ACCOUNT, by="test", now=utc_now())
    assert approved.path.read_bytes() == approved.before


def test_accounts_between_two_chosen_ones_are_not_scraped(loop: Loop) -> None:
    with open_instance(loop.settings) as instance:
        first, *_, last = instance.get_dynamic_partitions("accounts")
    starts_before = len(loop.server.starts)
    summary = run_scrape(loop.settings, [first, last], [Platform.TIKTOK])

    assert len(loop.server.starts) - starts_before == 2
    assert len(summary.lines) == 2


def test_one_accounts_trouble_is_seen_and_stops_nobody_else(loop: Loop) -> None:
    answers = actor_answers(loop.world)

    def one_fails(actor_id: str, run_input: dict[str, object]) -> ActorAnswer:
        answer = answers(actor_id, run_input)
        if "mymomskills" in json.dumps(run_input) and "tiktok" in actor_id:
            return ActorAnswer(
                items=[],
                status="FAILED",
                status_message="The proxy was blocked.",
                started_at=answer.started_at,
                finished_at=answer.finished_at,
            )
        return answer

    before = published_version(loop.settings)
    with ApifyServer(one_fails) as server:
        settings = loop.settings.model_copy(update={"apify_api_base_url": server.url})
        with pytest.raises(RunFailedError, match=r"mymomskills.*The proxy was blocked"):
            run_daily(settings, account_names(settings.accounts_dir))

    assert published_version(settings) != before
    with open_instance(settings) as instance:
        (run, *_) = instance.get_runs(dg.RunsFilter(job_name="daily"), limit=1)
        assert run.status is dg.DagsterRunStatus.FAILURE


def test_posts_that_left_the_listing_are_looked_up_by_their_addresses(loop: Loop) -> None:
    name, platform = "dreamtimelullabies", Platform.TIKTOK
    with reading(loop.settings) as connection:
        looks = direct_looks(connection, name, platform, loop.world.end)
    assert looks
    account = load_account(loop.settings.accounts_dir, name)
    report = scrape_posts(loop.settings, account, platform, [look.post_url for look in looks])
    assert set(report.manifest.post_ids) == {look.post_id for look in looks}
    assert report.new_post_count == 0

    run_build(loop.settings)
    with reading(loop.settings) as connection:
        later = direct_looks(connection, name, platform, loop.world.end)
        assert not {look.post_id for look in later} & {look.post_id for look in looks}
        states = dict(
            connection.execute(
                "select post_id, listing_state from marts.fct_post_listing "
                "where account_name = ? and platform = ?",
                [name, platform.value],
            ).fetchall()
        )
    assert {states[look.post_id] for look in looks} <= {"outside_window", "unpinned"}
    assert "gone" not in states.values()


def test_no_secret_is_written_anywhere(loop: Loop) -> None:
    for path in loop.settings.home.rglob("landing/tiktok_posts*"):
        if path.is_file():
            assert TOKEN.encode() not in path.read_bytes(), path


def test_one_model_can_be_materialised_by_itself(loop: Loop) -> None:
    with open_instance(loop.settings) as instance:
        job = build_defs(
            {"settings": dg.ResourceDefinition.hardcoded_resource(loop.settings)}
        ).resolve_job_def("build")
        result = job.execute_in_process(
            instance=instance, asset_selection=[dg.AssetKey(["marts", "fct_snapshot"])]
        )
    assert result.success
    keys = {event.asset_key for event in result.get_asset_materialization_events()}
    assert keys == {dg.AssetKey(["marts", "fct_snapshot"])}


def test_two_accounts_materialise_at_once_from_two_processes(loop: Loop) -> None:
    environment = {
        **os.environ,
        "AFTERPOST_HOME": str(loop.settings.home),
        "APIFY_TOKEN": TOKEN,
        "APIFY_API_BASE_URL": loop.server.url,
        "DAGSTER_HOME": str(instance_dir(loop.settings)),
        "PYTHONWARNINGS": "ignore",
    }
    before = mart_fingerprints(loop.settings.database_path)
    processes = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "dagster",
                "asset",
                "materialize",
                "-m",
                "pipeline.definitions",
                "--select",
                "landing/tiktok_posts*",
                "--partition",
                name,
            ],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for name in ("dreamtimelullabies", "slumbersongs")
    ]
    for process in processes:
        output, _ = process.communicate(timeout=240)
        assert process.returncode == 0, output[-3000:]

    assert mart_fingerprints(loop.settings.database_path) == before
