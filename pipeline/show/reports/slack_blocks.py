"""A report as Slack messages: one for the channel, and details in its thread.

Limits of Block Kit: 50 blocks, headers of 150 characters, sections of 3000, ten fields of 2000
(https://docs.slack.dev/reference/block-kit/blocks). A message's text is kept below what Slack takes
altogether.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.show.figure_words import platform, plural
from pipeline.show.reports.periods import wording
from pipeline.show.reports.periods.movement import Movement
from pipeline.show.reports.periods.posts import ReportPost
from pipeline.show.reports.periods.ranking import ranked_accounts, ranked_decisions
from pipeline.show.reports.periods.report import AccountReport, PeriodReport, ProfileReport
from pipeline.show.reports.periods.summary import executive_summary
from pipeline.show.reports.slack_text import link, plain, untrusted

Block = dict[str, Any]

LONGEST_HEADER, LONGEST_SECTION, MOST_FIELDS, MOST_BLOCKS = 150, 3000, 10, 50
_BLOCKS_OF_MESSAGE = 45
_CHARACTERS_OF_MESSAGE = 11_000
"""Of all blocks together, as JSON. Slack names no such limit and answers msg_blocks_too_long from
about 13,200 on, containers included (https://github.com/slackapi/bolt-js/issues/2509)."""
_NAME = 60
_WAITING_SHOWN = 5
_TRIALS_SHOWN = 5
_ACCOUNTS_SHOWN = 20
_MESSAGES_OF_THREAD = 6


@dataclass(frozen=True)
class _Lengths:
    """Longest texts, in visible characters."""

    caption: int
    insight: int


_LENGTHS = (_Lengths(110, 240), _Lengths(60, 120), _Lengths(25, 50))
"""From the most to the least that a message shows of what others wrote."""


@dataclass(frozen=True)
class SlackMessage:
    """Blocks, and the text for notifications."""

    text: str
    blocks: tuple[Block, ...]


def slack_messages(report: PeriodReport) -> list[SlackMessage]:
    """The message for the channel, then the messages for its thread."""
    title = _title(report)
    details = _details(report)
    blocks: list[Block] = []
    for texts in _LENGTHS:
        blocks = _blocks(report, title, texts, has_thread=bool(details))
        if _characters(blocks) <= _CHARACTERS_OF_MESSAGE:
            break
    text = plain(f"{title}. {' '.join(executive_summary(report))}", LONGEST_SECTION)
    return [SlackMessage(text, tuple(blocks)), *_packed(title, details)]


def _blocks(
    report: PeriodReport, title: str, texts: "_Lengths", *, has_thread: bool
) -> list[Block]:
    blocks = [_header(title), *_sections("*In short*", _summary(report))]
    if len(report.accounts) > 1:
        blocks += _accounts_at_a_glance(report, has_thread=has_thread)
    else:
        blocks += [block for account in report.accounts for block in _profiles(account)]
    blocks += _posts("Top", report.top, texts, with_account=report.is_of_all)
    blocks += _posts("Bottom", report.bottom, texts, with_account=report.is_of_all)
    blocks += _waiting(report, texts)
    blocks += _trials(report)
    blocks += _absent(report)
    blocks.append(_context(report))
    return blocks


def _title(report: PeriodReport) -> str:
    kind = report.period.kind.value.capitalize()
    return plain(f"{kind} report: {report.name}, {report.period.title}", LONGEST_HEADER)


def _summary(report: PeriodReport) -> list[str]:
    return [f"• {untrusted(line, 400)}" for line in executive_summary(report)]


def _accounts_at_a_glance(report: PeriodReport, *, has_thread: bool) -> list[Block]:
    ranked = ranked_accounts(report.accounts)
    lines = [_account_line(account) for account in ranked[:_ACCOUNTS_SHOWN]]
    left = len(ranked) - len(lines)
    if left > 0:
        where = ": see the thread" if has_thread else ""
        lines.append(f"_and {plural(left, 'more account')}{where}_")
    return _sections("*Accounts, reach against the days before*", lines)


def _account_line(account: AccountReport) -> str:
    reach = account.overall[0]
    return (
        f"*{untrusted(account.account_name, _NAME)}*: {wording.movement_words(reach)}; "
        f"{plural(account.post_count, 'post')}"
    )


def _profiles(account: AccountReport) -> list[Block]:
    blocks: list[Block] = []
    for profile in account.profiles:
        blocks.append(_section(_profile_name(profile)))
        blocks.append(_fields(profile))
    return blocks


def _profile_name(profile: ProfileReport) -> str:
    overview = profile.overview
    handle = f" @{untrusted(overview.handle, _NAME)}" if overview.handle else ""
    return f"*{platform(overview.platform)}*{handle}"


def _fields(profile: ProfileReport) -> Block:
    texts = [
        f"*{wording.outcome_at_age(movement)}*\n{_movement_lines(movement)}"
        for movement in profile.movements
    ]
    texts += [
        f"*Posts*\n{wording.posts_words(profile)}",
        f"*Followers*\n{wording.followers_words(profile.followers)}",
        "*The usual post*\n{} {}".format(*wording.usual_figures(profile.overview)),
    ]
    return {"type": "section", "fields": [_mrkdwn(text) for text in texts[:MOST_FIELDS]]}


def _movement_lines(movement: Movement) -> str:
    told = wording.movement_words(movement)
    if movement.ratio is None:
        return told
    now, before = wording.middle_posts(movement)
    return f"{told}\nmiddle post {now} (before: {before})"


def _posts(
    title: str, posts: Sequence[ReportPost], texts: _Lengths, *, with_account: bool
) -> list[Block]:
    if not posts:
        return []
    lines = [
        f"{place}. {_post_line(post, texts, with_account)}" for place, post in enumerate(posts, 1)
    ]
    return _sections(f"*{title} {len(posts)}*", lines)


def _post_line(post: ReportPost, texts: _Lengths, with_account: bool) -> str:
    caption = untrusted(post.caption or "", texts.caption) or "(no caption)"
    parts = [wording.multiple_words(post), wording.score_words(post)]
    if post.format:
        parts.append(untrusted(post.format, _NAME))
    where = platform(post.platform)
    if with_account:
        where = f"{untrusted(post.account_name, _NAME)}, {where}"
    return f"{link(post.post_url, caption)}\n      {'; '.join(parts)} · {where}"


def _waiting(report: PeriodReport, texts: _Lengths) -> list[Block]:
    if not report.waiting:
        return []
    lines = [
        f"• {untrusted(one.insight, texts.insight)} _({one.confidence} confidence, "
        f"{one.sample_size:,} posts)_\n`{one.command}`"
        for one in ranked_decisions(report.waiting)[:_WAITING_SHOWN]
    ]
    left = len(report.waiting) - len(lines)
    if left > 0:
        named = "ACCOUNT" if report.account_name is None else report.account_name
        lines.append(f"_and {left} more:_ `afterpost review --account {named}`")
    return _sections("*Waiting for a decision*", lines)


def _trials(report: PeriodReport) -> list[Block]:
    trials = report.trials
    blocks = []
    for title, chosen, words in (
        ("Verdicts that arrived", trials.arrived, wording.verdict_words),
        ("Being judged", trials.running, wording.progress_words),
    ):
        lines = [
            f"• {untrusted(one.account_name, _NAME)}: {untrusted(wording.trial_words(one), 200)}: "
            f"{words(one)}" + (" *(due)*" if one in trials.due else "")
            for one in chosen[:_TRIALS_SHOWN]
        ]
        if len(chosen) > _TRIALS_SHOWN:
            lines.append(f"_and {len(chosen) - _TRIALS_SHOWN} more:_ `afterpost verdicts`")
        if lines:
            blocks += _sections(f"*{title}*", lines)
    return blocks


def _absent(report: PeriodReport) -> list[Block]:
    lines = [f"No part on {one.part}: it needs {one.needs}." for one in report.absent]
    earned = wording.returns_words(report)
    told = ([f"*Return* {earned}"] if earned else []) + lines
    return [_small(*told)] if told else []


def _context(report: PeriodReport) -> Block:
    return _small(
        *wording.context_words(report),
        wording.LEGEND,
    )


def _details(report: PeriodReport) -> list[list[Block]]:
    """Blocks of each account that had posts, for the thread."""
    if not report.is_of_all or len(report.accounts) < 2:
        return []
    return [
        [
            _section(f"*{untrusted(account.display_name, _NAME)}* ({account.timezone})"),
            *_profiles(account),
            *_posts("Top", account.top[:1], _LENGTHS[0], with_account=False),
        ]
        for account in ranked_accounts(report.accounts)
        if account.post_count or account.former_post_count
    ]


def _packed(title: str, accounts: Sequence[list[Block]]) -> list[SlackMessage]:
    """Accounts in as few messages as the limits allow; the last line says what was left out."""
    pages: list[list[Block]] = []
    sizes: list[int] = []
    placed = 0
    for blocks in accounts:
        size = _characters(blocks)
        fits = (
            pages
            and len(pages[-1]) + len(blocks) < _BLOCKS_OF_MESSAGE
            and sizes[-1] + size < _CHARACTERS_OF_MESSAGE
        )
        if not fits:
            if len(pages) == _MESSAGES_OF_THREAD:
                break
            pages.append([])
            sizes.append(0)
        pages[-1] += blocks
        sizes[-1] += size
        placed += 1
    left = len(accounts) - placed
    if left:
        pages[-1].append(_small(f"and {plural(left, 'more account')}: `afterpost report`"))
    text = plain(f"{title}: accounts", LONGEST_SECTION)
    return [SlackMessage(text, tuple(blocks)) for blocks in pages]


def _sections(title: str, lines: Sequence[str]) -> list[Block]:
    """Lines below a title, in as many sections as it takes; none is cut in two."""
    texts = [title]
    for line in lines:
        if len(texts[-1]) + len(line) + 1 > LONGEST_SECTION:
            texts.append(line)
        else:
            texts[-1] += f"\n{line}"
    return [_section(text) for text in texts]


def _characters(blocks: Sequence[Block]) -> int:
    return len(json.dumps(blocks, ensure_ascii=False))


def _header(text: str) -> Block:
    return {"type": "header", "text": {"type": "plain_text", "text": text, "emoji": False}}


def _section(text: str) -> Block:
    return {"type": "section", "text": _mrkdwn(text)}


def _small(*texts: str) -> Block:
    return {"type": "context", "elements": [_mrkdwn(text) for text in texts]}


def _mrkdwn(text: str) -> Block:
    # verbatim: Slack makes no links, channels or names out of what only looks like them.
    return {"type": "mrkdwn", "text": text, "verbatim": True}
