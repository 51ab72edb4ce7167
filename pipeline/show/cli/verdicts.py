"""``afterpost verdicts``: what approved changes did, and how good the recommender is."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.show.cli import options, output
from pipeline.show.cli.output import Align
from pipeline.show.figure_words import interval, moment, percent, times

if TYPE_CHECKING:
    from pipeline.decide.track_record import Rate, TrackRecord


def verdicts(
    account: Annotated[
        str | None,
        typer.Option("--account", "-a", help="Name of a folder under accounts/. Default: all."),
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Show what approved changes did.

    Worked, did not work, or cannot tell and how many posts are missing; and how often the
    recommender was right.

    Example: afterpost verdicts --account dreamtimelullabies
    """
    from pipeline.accounts import load_account
    from pipeline.clients.state import reading_state, state_exists
    from pipeline.clients.warehouse import reading
    from pipeline.decide import track_record
    from pipeline.learn.recommend.recommendation import Recommendation
    from pipeline.settings import load_settings

    settings = load_settings()
    if account:
        load_account(settings.accounts_dir, account)
    with reading(settings) as connection:
        rows = track_record.verdicts(connection, account)
    made = []
    if state_exists(settings):
        with reading_state(settings) as state:
            made = [Recommendation.from_row(row) for row in state.recommendations(account)]
    record = track_record.track_record(rows, made)
    if as_json:
        output.print_json({"verdicts": rows, "record": dataclasses.asdict(record)})
        return
    _show(rows, with_account=not account)
    _show_record(record)


def _show(rows: Sequence[Mapping[str, Any]], *, with_account: bool) -> None:
    if not rows:
        output.say("No approved change is being judged yet.")
        return
    output.table(
        [
            ("approved", Align.LEFT),
            ("change", Align.LEFT),
            ("verdict", Align.LEFT),
            ("ratio", Align.RIGHT),
            ("interval", Align.RIGHT),
            ("posts", Align.RIGHT),
        ],
        [
            (
                moment(row["approved_at"])[:10],
                f"{row['account_name']} {row['segment']}" if with_account else row["segment"],
                _verdict_words(row),
                times(row["effect"]),
                interval(row["effect_low"], row["effect_high"]),
                f"{row['n']} / {row['control_n']}",
            )
            for row in rows
        ],
    )
    output.say("The ratio is that of the segment to the posts it took the place of.")
    if any(row["evidence"] == "before_after" and row["effect"] is not None for row in rows):
        output.say("* weaker evidence: before and after, because the posts were not drawn.")


def _verdict_words(row: Mapping[str, Any]) -> str:
    words = str(row["verdict"]).replace("_", " ")
    if row["effect"] is not None and row["evidence"] == "before_after":
        words += " *"
    if row["verdict"] == "cannot_tell":
        needed = row["more_posts_needed"]
        told = "too few posts" if needed is None else f"{needed} more posts needed"
        return f"{words}\n{told if row['is_final'] else f'so far; {told}'}"
    return words


def _show_record(record: "TrackRecord") -> None:
    output.heading("The recommender's record")
    output.say(
        f"Approved: {_rate(record.approval_rate)}; target {_percent(record.approval_target)}."
    )
    expected = record.expected_decided_share
    told = "" if expected is None else f"; {_percent(expected)} were expected"
    output.say(f"Verdicts within the horizon: {_rate(record.decided_share)}{told}.")
    if record.days_to_verdict_median is not None:
        output.say(f"Half of the verdicts fell within {record.days_to_verdict_median:.0f} days.")
    for level in record.by_confidence:
        if level.approved_count == 0:
            continue
        claimed = level.claimed_probability
        stated = "" if claimed is None else f"; {_percent(claimed)} was claimed"
        output.say(
            f"{level.confidence}: {level.approved_count} approved, worked "
            f"{_rate(level.hit_rate)}{stated}"
        )


def _rate(rate: "Rate") -> str:
    if rate.rate is None:
        return "none yet"
    return (
        f"{rate.part} of {rate.whole} ({_percent(rate.rate)}, 90 % interval {_percent(rate.low)}–"
        f"{_percent(rate.high)})"
    )


def _percent(share: float | None) -> str:
    return percent(share, space=" ")
