"""A report as Slack messages: within the limits, and nothing that others wrote does anything."""

import json
import re
from datetime import date
from typing import Any

import pytest

from pipeline.clients.warehouse import reading
from pipeline.show.reports.graphemes import graphemes, shortened
from pipeline.show.reports.periods.calendar import PeriodKind, period_of
from pipeline.show.reports.periods.report import period_report
from pipeline.show.reports.slack_blocks import SlackMessage, slack_messages
from pipeline.show.reports.slack_text import link, plain, untrusted, web_address
from tests.fakes.recommendations import add_pending
from tests.fakes.reported_world import MONDAY, Reported, publish_world
from tests.fakes.slack_server import block_problems

HOSTILE = (
    "<!channel> @here <https://evil.example|Sleep & co> *bold* _loud_ ~gone~ `code` <@U012AB3CD> "
    "https://evil.example/x <script>alert(1)</script> &amp; \u202eesrever "
)
FAMILY = "👨‍👩‍👧‍👦"
WEEK = period_of(PeriodKind.WEEKLY, MONDAY)


def messages_of(tmp_path: Any, accounts: list[Reported], account: str | None) -> list[SlackMessage]:
    settings = publish_world(tmp_path, accounts)
    with reading(settings) as connection:
        return slack_messages(period_report(settings, connection, WEEK, account))


def texts_of(message: SlackMessage) -> list[str]:
    found = []
    for block in message.blocks:
        parts = [block.get("text"), *block.get("fields", ()), *block.get("elements", ())]
        found += [part["text"] for part in parts if part]
    return found


def test_forty_accounts_with_long_captions_fit_with_the_summary_first(tmp_path):
    caption = (HOSTILE + FAMILY * 30 + "子守唄" * 60)[:300]
    assert len(caption) == 300
    accounts = [
        Reported(
            f"account_{number:02d}",
            display_name=f"Account {number} <!channel> " + "ü" * 200,
            platforms=("tiktok", "instagram"),
            caption=caption,
            posts_a_week=6,
            ratio=3.0 if number < 5 else 1.0,
        )
        for number in range(40)
    ]

    first, *thread = messages_of(tmp_path, accounts, None)

    for message in (first, *thread):
        assert block_problems(list(message.blocks)) == []
        assert 0 < len(message.text) <= 3000
        assert len(json.dumps(message.blocks, ensure_ascii=False)) < 13_000
        assert not re.search(r"<[!@#]", json.dumps(message.blocks) + message.text)
        assert not re.search(r"@(here|channel|everyone)\b", json.dumps(message.blocks))
    assert [block["type"] for block in first.blocks][:2] == ["header", "section"]
    assert "20 more accounts" in "".join(texts_of(first))
    assert 1 <= len(thread) <= 6
    named = [text for message in thread for text in texts_of(message) if "America/New_York" in text]
    left = re.findall(r"and (\d+) more account", "".join(texts_of(thread[-1])))
    assert len(named) + sum(map(int, left)) == 40


def test_the_message_of_one_account_has_all_its_parts_in_order(tmp_path):
    settings = publish_world(tmp_path, [Reported("sleepy", ratio=3.0)])
    add_pending(settings)
    with reading(settings) as connection:
        report = period_report(settings, connection, WEEK, "sleepy")
    (message,) = slack_messages(report)
    texts = texts_of(message)
    whole = "\n".join(texts)

    assert texts[0] == "Weekly report: Sleepy, week 20, 11–17 May 2026"
    assert re.search(r"▲ [23]\.\d\d× \([\d.]+–[\d.]+\), 14 and 14 posts", whole)
    assert "*Top 3*" in whole
    assert "*Bottom 3*" in whole
    assert "<https://www.tiktok.com/@sleepy/video/1|Nine quiet steps" in whole
    assert "`afterpost review --account sleepy --approve rec_000000000001`" in whole
    assert "12,120 (+120 since 10 May)" in whole
    context = [element["text"] for element in message.blocks[-1]["elements"]]
    assert context[:3] == [
        "Data as of 2026-05-21 12:00Z",
        "Zone: America/New_York",
        "Warehouse 20260521T120000_abcdef",
    ]
    assert message.text.startswith("Weekly report: Sleepy, week 20")


def test_every_mrkdwn_text_is_verbatim_so_that_slack_links_nothing_by_itself(tmp_path):
    for message in messages_of(tmp_path, [Reported()], None):
        for block in message.blocks:
            parts = [block.get("text"), *block.get("fields", ()), *block.get("elements", ())]
            for part in parts:
                if part and part["type"] == "mrkdwn":
                    assert part["verbatim"] is True


def test_an_empty_week_is_said_and_fits(tmp_path):
    settings = publish_world(tmp_path)
    with reading(settings) as connection:
        period = period_of(PeriodKind.WEEKLY, date(2026, 8, 1))
        (message,) = slack_messages(period_report(settings, connection, period, "sleepy"))

    assert block_problems(list(message.blocks)) == []
    assert "The data go up to 2026-05-21: scrape, then build." in "".join(texts_of(message))


def test_nothing_in_a_caption_is_obeyed():
    shown = untrusted(HOSTILE, 400)

    assert "<" not in shown
    assert ">" not in shown
    assert not set("*~`") & set(shown)
    assert "&lt;!channel&gt;" in shown
    assert "@here" not in shown
    assert "@\u2060here" in shown
    assert "https://" not in shown
    assert "\u202e" not in shown
    assert " _loud_ " not in shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("step_guide posts", "step_guide posts"),
        ("a\nb\tc\x1b[31m", "a b c [31m"),
        ("5 & 6", "5 &amp; 6"),
        ("شكرا", "\u2068شكرا\u2069"),
        ("lone \ud800 half", "lone \N{REPLACEMENT CHARACTER} half"),
        ("", ""),
    ],
)
def test_text_is_shown_as_it_was_written(text, shown):
    assert untrusted(text, 100) == shown


@pytest.mark.parametrize(
    ("address", "target"),
    [
        ("https://www.tiktok.com/@a/video/1", "https://www.tiktok.com/@a/video/1"),
        ("https://a.example/?x=1&y=2", "https://a.example/?x=1&amp;y=2"),
        ("https://a.example/>|<!channel>", "https://a.example/%3E%7C%3C!channel%3E"),
        ("https://a.example/ü b", "https://a.example/%C3%BC%20b"),
        ("javascript:alert(1)", None),
        ("https://", None),
        ("http://[", None),
        ("https://a.example/" + "x" * 2000, None),
        ("", None),
        (None, None),
    ],
)
def test_only_web_addresses_become_links_and_none_can_end_early(address, target):
    assert web_address(address) == target
    assert link(address, "here") == (f"<{target}|here>" if target else "here")


def test_a_notification_mentions_nobody():
    assert plain("@channel <!here>", 100) == "@\u2060channel &lt;!here&gt;"


@pytest.mark.parametrize("longest", range(1, 40))
def test_text_is_cut_between_what_readers_see_as_characters(longest):
    text = f"a{FAMILY}é{FAMILY}🇯🇵🇧🇷नमस्ते👍🏽각"
    cut = shortened(text, longest)

    assert len(cut) <= longest
    whole = list(graphemes(text))
    assert cut == text or list(graphemes(cut[:-1])) == whole[: len(list(graphemes(cut[:-1])))]


def test_graphemes_are_those_of_the_standard():
    regex = pytest.importorskip("regex", reason="only the development tools bring it")
    text = (
        f"ab\r\nc {FAMILY}❤️‍🔥 é 🇯🇵🇧🇷🇩 नमस्ते 👍🏽 각 한국어 ไทย שָׁלוֹם مرحبًا 🏴󠁧󠁢󠁥󠁮󠁧󠁿 1️⃣ "
        "子守唄 z̸a̷lgo̕ 👩🏾‍🚀 ©️ x\u200dy"
    )

    assert list(graphemes(text)) == regex.findall(r"\X", text)
