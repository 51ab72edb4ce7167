"""``afterpost draw``: what to make next, with the probability of the pick."""

from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.errors import UsageError
from pipeline.show.cli import options, output
from pipeline.show.figure_words import percent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from pipeline.accounts import AccountConfig
    from pipeline.decide.briefs import Brief
    from pipeline.learn.predict.answers import Prediction
    from pipeline.settings import Settings


def draw(
    account: Annotated[
        str | None, typer.Argument(metavar="[ACCOUNT]", help="Name of a folder under accounts/.")
    ] = None,
    account_option: Annotated[
        str | None, typer.Option("--account", "-a", help="The same, as an option.")
    ] = None,
    number: Annotated[int, typer.Option("--number", "-n", help="How many briefs.")] = 1,
    seed: Annotated[
        int | None, typer.Option(help="For the same briefs again. Default: a new one.")
    ] = None,
    platform: Annotated[
        str | None,
        typer.Option(
            "--platform",
            "-p",
            help=f"Join experiments of this platform only: one of {options.PLATFORM_NAMES}.",
        ),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="When the posts are to go out: ISO 8601, on the account's clock where it names "
            "no zone. Decides the weekday in an experiment. Default: now.",
        ),
    ] = None,
    topic: Annotated[
        str | None,
        typer.Option(
            metavar="SUBJECT",
            help="What the post is about; refused where an experiment has used it.",
        ),
    ] = None,
    predict: Annotated[
        bool,
        typer.Option(
            "--predict",
            help="Say what each is expected to reach, where a model serves the account. Takes "
            "some seconds, and changes nothing about the draw.",
        ),
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    """Draw briefs for the next posts from the context.

    Each has the probability of its pick and the context's id: store both in meta.json
    (docs/generator.md), or nothing can be learned from the draw. While an experiment runs, some
    briefs are for one of its arms.

    Example: afterpost draw dreamtimelullabies -n 5
    """
    from pipeline.accounts import load_account
    from pipeline.clock import utc_now
    from pipeline.decide.context import ensure_context
    from pipeline.decide.experiment_draws import DrawRequest, draw_for_account
    from pipeline.settings import load_settings
    from pipeline.show.cli.collect_commands import chosen_platforms

    settings = load_settings()
    config = load_account(settings.accounts_dir, options.one_account(account, account_option))
    request = DrawRequest(
        number=number,
        seed=seed,
        platform=None if platform is None else chosen_platforms([platform])[0],
        planned_at=None if at is None else moment_on_clock(at, config.zone),
        subject=topic,
    )
    now = utc_now()
    ensure_context(settings, config, now)
    drawn = draw_for_account(settings, config, request, now)
    for note in drawn.notes:
        output.note(note)
    briefs = drawn.briefs
    expected = _expected(settings, config, briefs, request.planned_at, now) if predict else None
    if as_json:
        told = [{**brief.to_json(), "stamp": brief.stamp()} for brief in briefs]
        for one, said in zip(told, expected or (), strict=False):
            one["prediction"] = said.to_json()
        output.print_json(told)
        return
    for place, brief in enumerate(briefs):
        _say(brief)
        if expected:
            from pipeline.show.cli.draw_predictions import expected_line

            output.say_indented(output.plain(f"  {expected_line(expected[place])}"))
    output.say(f"The same again: --seed {briefs[0].seed}")


def _expected(
    settings: "Settings",
    config: "AccountConfig",
    briefs: "Sequence[Brief]",
    planned_at: "datetime | None",
    now: "datetime",
) -> "list[Prediction] | None":
    """What is expected of each brief, with the sentences about it on standard error."""
    from pipeline.errors import AfterpostError
    from pipeline.show.cli.draw_predictions import notes_of, predictions_of

    try:
        found = predictions_of(settings, config, briefs, planned_at, now)
    except AfterpostError as error:
        # The briefs are drawn, and may be an experiment's: they are worth more than this.
        output.note(str(error))
        return None
    if found is None:
        output.note(f"No model serves {config.name}: nothing is said of the briefs.")
        return None
    for note in notes_of(found):
        output.note(note)
    return found


def moment_on_clock(text: str, zone: "ZoneInfo") -> "datetime":
    """The moment that a person means.

    Args:
        text: ISO 8601, on the account's clock where it names no zone.
        zone: The account's.

    Raises:
        UsageError: It is no time.
    """
    from datetime import datetime

    try:
        moment = datetime.fromisoformat(text.strip())
        moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        moment.astimezone(zone)
    except (ValueError, OverflowError):
        raise UsageError(
            f"{text!r} is no time: write ISO 8601, such as 2026-11-20T18:30, with a zone or on "
            "the account's clock."
        ) from None
    return moment


def _say(brief: "Brief") -> None:
    wanted = [
        ("pillar", brief.pillar),
        ("hook", brief.hook_style),
        ("slides", brief.slide_count),
        ("daypart", brief.daypart),
        ("cta", brief.cta),
        ("topics", ", ".join(brief.topics)),
        ("try", brief.experiment),
    ]
    told = ", ".join(f"{name} {value}" for name, value in wanted if value)
    probability = (
        ""
        if brief.pick_probability is None
        else f" ({percent(brief.pick_probability, 1)}, {brief.arm})"
    )
    output.say_indented(output.plain(f"{brief.format or 'any format'}{probability}: {told}"))
    output.say(f"  draw {brief.draw_id}, context {brief.context_id}")
    if brief.assignment is not None:
        assigned = brief.assignment
        output.say_indented(
            output.plain(
                f"  experiment {assigned.experiment_id}, arm {assigned.arm}, for {brief.platform}"
                f" ({assigned.assignment_id})"
            )
        )
    if brief.instructions:
        output.say_indented(output.plain(f"  somebody asks: {brief.instructions}"))
