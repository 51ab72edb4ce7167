"""A fall, a breakout and a waiting proposal: from export files through a real build to Slack."""

import json
import math
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from pipeline.accounts import AlertKind, load_account
from pipeline.clients.state_alerts import alert_event_rows, alert_rows
from pipeline.clients.warehouse import reading
from pipeline.collect.imports import import_file
from pipeline.collect.raw import load_raw
from pipeline.measure.build import build_models, build_statistics, publish_build
from pipeline.settings import Settings
from pipeline.show.alerts.watch import watch
from tests.collect.samples import make_account, tiktok_row
from tests.fakes.slack_server import SlackServer, refused

DAY = timedelta(days=1)
START = datetime(2026, 9, 1, 10, 0, tzinfo=UTC)
DAYS = 44
FALLS_ON = 31
BREAKOUT = DAYS - 1
NOW = START + DAYS * DAY
ACCOUNT = "lullabies"


def _views(number: int, age_hours: float) -> int:
    luck = float(np.random.default_rng([7, number]).normal(0.0, 0.35))
    usual = 5000.0 * (0.2 if number >= FALLS_ON else 1.0) * (400.0 if number == BREAKOUT else 1.0)
    return round(usual * math.exp(luck) * -math.expm1(-age_hours / 24.0))


def _export(day: int) -> list[dict[str, object]]:
    scraped_at = START + day * DAY + timedelta(hours=11)
    rows = []
    for number in range(max(0, day - 9), day + 1):
        posted_at = START + number * DAY
        views = _views(number, (scraped_at - posted_at) / timedelta(hours=1))
        rows.append(
            tiktok_row(
                number,
                createTime=int(posted_at.timestamp()),
                createTimeISO=posted_at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
                playCount=views,
                diggCount=round(0.08 * views),
                commentCount=round(0.01 * views),
                shareCount=round(0.01 * views),
                collectCount=round(0.01 * views),
            )
        )
    return rows


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """An account of one post a day, scraped every day, and built once."""
    settings = Settings(home=tmp_path_factory.mktemp("alerts"), lock_timeout_s=60)
    make_account(settings, ACCOUNT, platform_profiles={"tiktok": "quietnights"})
    account = load_account(settings.accounts_dir, ACCOUNT)
    for day in range(DAYS):
        scraped_at = START + day * DAY + timedelta(hours=11)
        path = settings.home / f"export_{day}.json"
        path.write_text(json.dumps(_export(day)), encoding="utf-8")
        import_file(settings, account, path, scraped_at=scraped_at.isoformat())
    load_raw(settings)
    build_models(settings)
    build_statistics(settings)
    publish_build(settings)
    return settings


def test_a_round_over_a_real_build_tells_slack_once_and_ends_what_is_over(home: Settings) -> None:
    with SlackServer() as server:
        settings = server.settings(home)
        server.replies["chat.postMessage"].append(refused("channel_not_found"))
        first = watch(settings, NOW)
        told_nothing = list(server.messages)
        second = watch(settings, NOW + timedelta(minutes=15))
        third = watch(settings, NOW + timedelta(minutes=30))
        messages = list(server.messages)

    kinds = {alert.kind: alert for alert in first.opened}
    assert set(kinds) == {AlertKind.PERFORMANCE_DROP, AlertKind.BREAKOUT}
    drop, breakout = kinds[AlertKind.PERFORMANCE_DROP], kinds[AlertKind.BREAKOUT]
    assert 0.13 < drop.figures["ratio"] < 0.31
    assert drop.figures["ratio_low"] < drop.figures["ratio"] < drop.figures["ratio_high"] < 0.75
    assert (drop.platform, drop.severity.value) == ("tiktok", "critical")
    assert f"{100 * (1 - drop.figures['ratio']):.0f} % fewer views at 72 h" in drop.sentence
    with reading(home) as connection:
        found = connection.execute(
            "select median(view_72h) from (select view_72h from marts.fct_post_performance "
            "where view_72h is not null order by posted_at desc limit $n)",
            {"n": drop.figures["late_n"]},
        ).fetchone()
    assert found is not None
    assert found[0] < 0.5 * 5000
    assert breakout.figures["post_url"].startswith("https://www.tiktok.com/@quietnights/video/")
    assert breakout.figures["ratio"] > 50

    assert told_nothing == []
    assert "There is no channel" in first.problems[0]
    assert (first.told_count, first.waiting_count) == (0, 2)
    assert (second.told_count, second.opened, second.problems) == (2, [], [])
    assert (third.told_count, third.opened, len(third.open)) == (0, [], 2)
    (message,) = messages
    text = json.dumps(message["blocks"], ensure_ascii=False)
    assert drop.sentence[:60] in text
    assert f"afterpost alerts ack {drop.alert_id}" in text


def test_two_processes_at_once_make_one_alert(home: Settings) -> None:
    (home.warehouse_dir / "state.db").unlink(missing_ok=True)
    for name in ("state.db-wal", "state.db-shm"):
        (home.warehouse_dir / name).unlink(missing_ok=True)
    program = (
        "import sys; from datetime import datetime; from pathlib import Path\n"
        "from pipeline.settings import Settings; from pipeline.show.alerts.watch import watch\n"
        "now = datetime.fromisoformat(sys.argv[2])\n"
        "print(len(watch(Settings(home=Path(sys.argv[1])), now).opened))\n"
    )
    opened: list[int] = []

    def run(moment: datetime) -> None:
        done = subprocess.run(
            [sys.executable, "-c", program, str(home.home), moment.isoformat()],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        opened.append(int(done.stdout))

    threads = [threading.Thread(target=run, args=(NOW + n * timedelta(seconds=1),)) for n in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(opened) == [0, 2]
    rows = alert_rows(home)
    events = alert_event_rows(home, [row["alert_id"] for row in rows])
    assert len(rows) == 2
    assert [event["event"] for event in events] == ["opened", "opened"]
    # Without a token the log is where people are told.
    assert {event["told_to"] for event in events} == {"log"}


def test_a_copy_that_is_gone_ends_no_alert(home: Settings) -> None:
    watch(home, NOW)
    current = home.published_dir / "current"
    version = current.read_text(encoding="utf-8")
    current.unlink()
    try:
        blind = watch(home, NOW + DAY)
    finally:
        current.write_text(version, encoding="utf-8")

    assert (blind.resolved, blind.problems) == ([], [])
    assert {alert.kind for alert in blind.open} == {AlertKind.PERFORMANCE_DROP, AlertKind.BREAKOUT}


def test_a_muted_kind_is_closed_without_a_word(home: Settings) -> None:
    watch(home, NOW)
    path = home.accounts_dir / ACCOUNT / "account.yaml"
    before = path.read_text(encoding="utf-8")
    path.write_text(before + "alerts: {muted: [breakout]}\n", encoding="utf-8")
    try:
        quieter = watch(home, NOW + 2 * DAY)
    finally:
        path.write_text(before, encoding="utf-8")

    assert quieter.resolved == []
    assert [alert.kind for alert in quieter.open] == [AlertKind.PERFORMANCE_DROP]
    (closed,) = [row for row in alert_rows(home) if row["kind"] == "breakout"]
    assert [one["event"] for one in alert_event_rows(home, [closed["alert_id"]])] == [
        "opened", "closed",
    ]  # fmt: skip


def test_the_alert_of_a_removed_account_is_closed_and_the_rest_of_the_home_stays_watched(
    home: Settings, tmp_path: Path
) -> None:
    watch(home, NOW)
    folder = home.accounts_dir / ACCOUNT
    folder.rename(tmp_path / ACCOUNT)
    try:
        without = watch(home, NOW + 3 * DAY)
    finally:
        (tmp_path / ACCOUNT).rename(folder)

    assert (without.open, without.resolved, without.problems) == ([], [], [])
