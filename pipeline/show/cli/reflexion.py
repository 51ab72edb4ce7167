"""``afterpost reflexion``: how good predictions were, where they were off, what corrects them."""

from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.errors import UsageError
from pipeline.show.cli import options, output
from pipeline.show.cli.output import Align
from pipeline.show.figure_words import interval, times

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.accounts import AccountConfig
    from pipeline.learn.predict.critique import Critique
    from pipeline.learn.predict.reflecting import Adjustment, Changes, Reflexion
    from pipeline.learn.predict.skill import Row
    from pipeline.settings import Settings

_MOST_GAPS = 5
"""Of one platform and target; --json has all."""


def reflexion(
    account: options.Account,
    apply_id: Annotated[
        str | None, typer.Option("--apply", metavar="ID", help="Apply a proposed correction.")
    ] = None,
    end_id: Annotated[
        str | None, typer.Option("--end", metavar="ID", help="End a correction.")
    ] = None,
    update: Annotated[
        bool,
        typer.Option(
            "--update",
            help="First end what does not help and look for new corrections, as the daily run "
            "does.",
        ),
    ] = False,
    critique: Annotated[
        bool,
        typer.Option(
            "--critique", help="Put it into a few sentences; by Claude where a key is set."
        ),
    ] = False,
    by: options.By = None,
    as_json: options.AsJson = False,
) -> None:
    """Show how good predictions were, and where they were off.

    Where they said too much or too little, the corrections that are proposed or applied for that,
    and what each did to the loss since.

    Example: afterpost reflexion --account dreamtimelullabies
    """
    from pipeline.accounts import load_account
    from pipeline.clock import utc_now
    from pipeline.learn.predict import reflecting
    from pipeline.learn.predict.reflexion_words import reflexion_json
    from pipeline.settings import load_settings

    if apply_id and end_id == apply_id:
        raise UsageError("A correction is either applied or ended.")
    settings = load_settings()
    config = load_account(settings.accounts_dir, account)
    now = utc_now()
    who = options.decider(by)
    if apply_id:
        reflecting.apply_adjustment(settings, config.name, apply_id, now, by=who)
        output.note(f"{apply_id} is applied: predictions from now on have it.")
    if end_id:
        reflecting.end_adjustment(settings, config.name, end_id, now, by=who)
        output.note(f"{end_id} has ended.")
    if update:
        _tell(reflecting.reflect(settings, config, now))
    found = reflecting.look_back(settings, config, now)
    worded = _criticise(settings, config, found, now) if critique else None
    if as_json:
        told = {} if worded is None else {"critique": worded.json()}
        output.print_json({**reflexion_json(found), **told})
        return
    _show(found)
    if worded is not None:
        _show_critique(worded)


def _criticise(
    settings: "Settings", config: "AccountConfig", found: "Reflexion", now: "datetime"
) -> "Critique":
    from pipeline.learn.predict.critique import criticise

    return criticise(settings, config, found, now)


def _show_critique(worded: "Critique") -> None:
    output.heading("Critique")
    for sentence in worded.sentences:
        output.say_indented(output.plain(f"  {sentence}"))
    if worded.usage is not None and worded.reason is None:
        cost = worded.usage.cost_usd
        told = "at an unknown cost" if cost is None else f"for ${cost:.4f}"
        output.say_indented(output.plain(f"  Worded by {worded.usage.model} {told}."))
    else:
        output.say_indented(output.plain(f"  Worded by the rules: {worded.reason}"))


def _tell(changes: "Changes") -> None:
    output.note(
        f"New corrections: {len(changes.proposed)}; applied by the account's policy: "
        f"{len(changes.applied)}; ended: {len(changes.ended)}."
    )


def _show(found: "Reflexion") -> None:
    from pipeline.learn.predict.reflexion_words import gap_in_words
    from pipeline.learn.predict.skill import ANY_MODEL

    overall = [row for row in found.skill if row["model_name"] == ANY_MODEL]
    if not any(row["period"] == "all" for row in overall):
        output.say(
            "No prediction of this account has been scored yet: a post is scored when it is a week "
            "old. `afterpost predict` makes one."
        )
    else:
        _show_skill(overall)
    for (platform, target), gaps in found.gaps.items():
        n = found.score_counts[platform, target]
        output.heading(f"Where {_words(target)} on {platform} were off ({n} posts)")
        clear = [gap for gap in gaps if gap.is_found]
        for gap in clear[:_MOST_GAPS]:
            told = gap_in_words(gap)
            output.say_indented(output.plain(f"  {told[0].upper()}{told[1:]}."))
        if not clear:
            output.say("  No segment's predictions were off beyond chance.")
    _show_adjustments(found.adjustments)


def _show_skill(rows: "list[Row]") -> None:
    from pipeline.learn.predict.skill import skill_in_words

    output.heading("How good predictions were, against the account's own quantiles")
    output.table(
        [
            ("platform", Align.LEFT),
            ("target", Align.LEFT),
            ("scored", Align.LEFT),
            ("posts", Align.RIGHT),
            ("loss", Align.RIGHT),
            ("interval", Align.RIGHT),
        ],
        [
            (
                row["platform"],
                _words(row["target"]),
                "all"
                if row["period"] == "all"
                else f"{row['period_start']} to {row['period_end']}",
                f"{row['n']}",
                times(row["pinball_ratio"]),
                interval(row["pinball_ratio_low"], row["pinball_ratio_high"]),
            )
            for row in rows
        ],
    )
    for row in rows:
        if row["period"] == "all":
            output.say_indented(
                f"  {_words(row['target'])} on {row['platform']}, {skill_in_words(row)}."
            )


def _show_adjustments(adjustments: "list[Adjustment]") -> None:
    from pipeline.learn.predict.reflexion_words import trial_in_words, where_in_words

    if not adjustments:
        return
    output.heading("Corrections")
    for one in adjustments:
        row = one.row
        was_applied = row["applied_at"] is not None
        because = row["evidence"].get("ended_because")
        told = f": {because}" if because else ""
        output.say_indented(
            output.plain(
                f"  {row['adjustment_id']}  {row['status']}{told}; {times(row['factor'])} "
                f"{_words(row['target'])} on {row['platform']} of posts "
                f"{where_in_words(row['dimension'], row['segment'])}; "
                f"{trial_in_words(one.trial, was_applied=was_applied)}"
            )
        )


def _words(target: str) -> str:
    from pipeline.learn.predict.skill import TARGETS

    return TARGETS.get(target, target)
