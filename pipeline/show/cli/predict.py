"""``afterpost predict``: what a post will reach, said before it is out."""

from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.errors import UsageError
from pipeline.show.cli import options, output
from pipeline.show.cli.draw import moment_on_clock

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.learn.predict.answers import Prediction, TargetPrediction
    from pipeline.settings import Settings

_MOST_FACTORS = 5


def predict(
    account: options.OneAccount = None,
    format_name: Annotated[
        str | None, typer.Option("--format", "-f", help="One of the account's formats.")
    ] = None,
    pillar: Annotated[
        str | None, typer.Option(help="One of the account's content pillars.")
    ] = None,
    hook: Annotated[str | None, typer.Option(help="The first words of the post.")] = None,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="When it is to go out: ISO 8601, on the account's clock where it names no zone. "
            "Default: now.",
        ),
    ] = None,
    platform: Annotated[
        str | None,
        typer.Option(
            "--platform",
            "-p",
            help=f"One of {options.PLATFORM_NAMES}. Default: where the account posts most.",
        ),
    ] = None,
    slides: Annotated[int | None, typer.Option(help="Slides of a carousel.")] = None,
    duration: Annotated[float | None, typer.Option(help="Seconds of a video.")] = None,
    caption: Annotated[str | None, typer.Option(help="The whole caption, with hashtags.")] = None,
    cta: Annotated[str | None, typer.Option(help="One of the account's calls to action.")] = None,
    planned: Annotated[
        bool, typer.Option("--planned", help="Everything in output/ that is not out yet.")
    ] = False,
    train: Annotated[
        bool, typer.Option("--train", help="Fit the models anew first, due or not.")
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    """Say what a post will reach, before it is out.

    Views and engagement rate at 7 days, each with an 80 % interval and the account's own usual
    beside it. What is said is kept, and scored when the post is a week old.

    Example: afterpost predict -a dreamtimelullabies -f step_guide --hook "3 quiet naps"
    """
    from pipeline.accounts import load_account
    from pipeline.clock import utc_now
    from pipeline.settings import load_settings

    settings = load_settings()
    now = utc_now()
    described = (format_name, pillar, hook, at, platform, slides, duration, caption, cta)
    is_one_post = any(value is not None for value in described)
    if planned and is_one_post:
        raise UsageError("--planned predicts what is in output/: leave out what describes a post.")
    if account is None and not planned and not (train and not is_one_post):
        raise UsageError("No account was named: give --account NAME.")
    if train:
        _train(settings, now, as_json=as_json and account is None and not planned)
    if planned:
        _planned(settings, account, now, as_json=as_json)
        return
    if account is None:
        return

    from pipeline.learn.predict.requests import PredictionRequest
    from pipeline.learn.predict.serving import predict as predict_post

    config = load_account(settings.accounts_dir, account)
    request = PredictionRequest(
        account=account,
        platform=platform,
        format=format_name,
        pillar=pillar,
        hook=hook,
        caption=caption,
        cta=cta,
        planned_at=None if at is None else moment_on_clock(at, config.zone),
        slide_count=slides,
        duration_s=duration,
    )
    said = predict_post(settings, request, now)
    if as_json:
        output.print_json(said.to_json())
        return
    _say(said)


def _train(settings: "Settings", now: "datetime", *, as_json: bool) -> None:
    from pipeline.learn.predict.training import train_models

    trained = train_models(settings, now, force=True)
    if as_json:
        output.print_json(
            [
                {
                    "platform": one.platform,
                    "target": one.target.value,
                    "line": one.line,
                    "model_version": one.row["model_version"] if one.row else None,
                    "serves": one.row["serves"] if one.row else [],
                    "figures": one.row["figures"] if one.row else None,
                }
                for one in trained
            ]
        )
        return
    for one in trained:
        output.note(one.line)


def _planned(settings: "Settings", account: str | None, now: "datetime", *, as_json: bool) -> None:
    from pipeline.accounts import account_names
    from pipeline.learn.predict.planned_predictions import predict_planned

    names = account_names(settings.accounts_dir) if account is None else [account]
    found = predict_planned(settings, names, now)
    for problem in found.problems:
        output.note(problem)
    if found.over_count:
        output.note(
            f"{found.over_count} planned posts are left out: their day is more than 2 days over."
        )
    if as_json:
        output.print_json([one.to_json() for one in found.all])
        return
    if not found.all:
        output.say("There is no planned post that is not out yet.")
    for one in found.all:
        _say(one)


def _say(said: "Prediction") -> None:
    name = f"{said.planned_id}, " if said.planned_id else ""
    output.heading(
        output.plain(
            f"{said.account_name}, {name}{said.platform}, {said.planned_at:%Y-%m-%d %H:%M} UTC"
        )
    )
    for one in said.targets:
        _say_target(one)


def _say_target(one: "TargetPrediction") -> None:
    from pipeline.learn.predict.warehouse_features import Target

    row = one.row
    name = "views after 7 days" if one.target is Target.VIEWS else "engagement rate after 7 days"
    if row is None:
        output.say_indented(f"  {name}: {' '.join(one.notes)}")
        return

    def figure(value: float) -> str:
        return f"{value:,.0f}" if one.target is Target.VIEWS else f"{100 * value:.1f} %"

    breakout = row["breakout_probability"]
    told = (
        ""
        if breakout is None
        else f"; {100 * breakout:.0f} % for {figure(row['breakout_threshold'])} or more"
    )
    output.say_indented(
        f"  {name}: {figure(row['expected'])}, in 8 of 10 cases between {figure(row['low'])} and "
        f"{figure(row['high'])}{told} (the account's usual: {figure(row['baseline_expected'])})"
    )
    for factor in row["factors"][:_MOST_FACTORS]:
        output.say_indented(output.plain(f"    {factor['description']}"))
    for note in one.notes:
        output.say_indented(output.plain(f"    {note}"))
