"""``afterpost experiment plan`` and ``variations``: what it takes, before anything starts."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.errors import UsageError
from pipeline.show.cli import experiment_asking, options, output

if TYPE_CHECKING:
    from pipeline.learn.experiments.planning_for_account import Planned
    from pipeline.settings import Settings

Platform = Annotated[
    str | None,
    typer.Option(
        "--platform",
        "-p",
        help=f"One of {options.PLATFORM_NAMES}. Default: the account's only one.",
    ),
]
Metric = Annotated[
    str | None,
    typer.Option(
        "--metric",
        help="What more of is better: engagement_rate, save_rate, share_rate, views, engagement "
        "or comments.",
    ),
]
SmallestUseful = Annotated[
    str | None,
    typer.Option(
        "--smallest-useful",
        metavar="RATIO",
        help="Smallest effect worth acting on: 1.2, or 20% for the same.",
    ),
]
Register = Annotated[
    bool, typer.Option("--register", help="Store it; it starts by itself within the hour.")
]


def plan(
    account: options.Account,
    question: Annotated[
        str | None, typer.Option("--question", help="What you want to know.")
    ] = None,
    arm: Annotated[
        list[str] | None,
        typer.Option(
            "--arm",
            metavar=experiment_asking.ARM_FORM,
            help="One way to make posts, with commas between several choices; the usual one "
            "first. May be repeated.",
        ),
    ] = None,
    instructions: Annotated[
        list[str] | None,
        typer.Option(
            "--instructions",
            metavar="NAME=TEXT",
            help="What an arm asks of who writes its posts. May be repeated.",
        ),
    ] = None,
    metric: Metric = None,
    guard: Annotated[
        list[str] | None,
        typer.Option(
            "--guard",
            metavar=experiment_asking.GUARD_FORM,
            help="A metric that may fall to this ratio at most, such as save_rate:0.9. May be "
            "repeated.",
        ),
    ] = None,
    smallest_useful: SmallestUseful = None,
    platform: Platform = None,
    share: Annotated[float, typer.Option(help="Share of draws that join.")] = 1.0,
    alpha: Annotated[
        float, typer.Option(help="Chance of a winner where there is no difference.")
    ] = 0.05,
    power: Annotated[
        float, typer.Option(help="Chance of showing the smallest useful effect.")
    ] = 0.8,
    register: Register = False,
    by: options.By = None,
    as_json: options.AsJson = False,
) -> None:
    """Say how long an experiment takes, and register it.

    Asks for what is missing. Nothing is stored without --register or a yes; what is stored is
    frozen.

    Example: afterpost experiment plan --account dreamtimelullabies --question "Do questions work?"
    --arm usual=hook_style:statement --arm question=hook_style:question --metric engagement_rate
    """
    from pipeline.accounts import load_account
    from pipeline.learn.experiments.designs import PlanRequest
    from pipeline.learn.experiments.planning_for_account import plan_experiment
    from pipeline.settings import load_settings

    settings = load_settings()
    load_account(settings.accounts_dir, account)
    given = experiment_asking.Given(
        question=question,
        arms=arm or (),
        instructions=instructions or (),
        metric=metric,
        guards=guard or (),
        smallest_useful=smallest_useful,
        may_ask=not as_json,
    )
    try:
        answers = experiment_asking.complete(given)
    except experiment_asking.NoMoreAnswersError:
        output.say("Nothing was planned: the answers ended.")
        return
    planned = plan_experiment(
        settings,
        PlanRequest(
            account_name=account,
            question=answers.question,
            arms=answers.arms,
            metric=answers.metric,
            smallest_useful_ratio=answers.smallest_useful_ratio,
            guards=answers.guards,
            platform=platform,
            alpha=alpha,
            power=power,
            draw_share=share,
        ),
    )
    _show_and_register(
        settings, planned, register=register, ask=answers.was_asked, by=by, as_json=as_json
    )


def variations(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE", help="JSON: a list of {content, hashtags}; - reads from stdin."
        ),
    ],
    account: options.Account,
    metric: Metric = None,
    smallest_useful: SmallestUseful = None,
    platform: Platform = None,
    register: Register = False,
    by: options.By = None,
    as_json: options.AsJson = False,
) -> None:
    """Plan a comparison of ways to write from example texts.

    The texts are examples: what they differ in (style of the hook, number of hashtags, length)
    becomes the arms. Nothing is stored without --register or a yes.

    Example: afterpost experiment variations texts.json --account dreamtimelullabies --register
    """
    from pipeline.accounts import load_account
    from pipeline.learn.experiments.content_variations import plan_variations
    from pipeline.learn.experiments.registration import SMALLEST_USEFUL_RATIO
    from pipeline.settings import load_settings

    settings = load_settings()
    load_account(settings.accounts_dir, account)
    useful = SMALLEST_USEFUL_RATIO
    if smallest_useful is not None:
        useful = experiment_asking.parsed_ratio(smallest_useful)
    planned = plan_variations(
        settings,
        account,
        _texts(file),
        metric or "engagement_rate",
        platform=platform,
        smallest_useful_ratio=useful,
    )
    can_ask = not as_json and file != "-" and sys.stdin.isatty()
    _show_and_register(settings, planned, register=register, ask=can_ask, by=by, as_json=as_json)


def _texts(file: str) -> Any:
    """What a file holds.

    Raises:
        UsageError: It is not there, or is no JSON.
    """
    try:
        content = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8-sig")
        return json.loads(content)
    except FileNotFoundError:
        raise UsageError(f"There is no file {file}.") from None
    except (UnicodeDecodeError, ValueError, RecursionError):
        name = "stdin" if file == "-" else file
        raise UsageError(f"{name} is no JSON: write a list of objects with content.") from None


def _show_and_register(
    settings: "Settings",
    planned: "Planned",
    *,
    register: bool,
    ask: bool,
    by: str | None,
    as_json: bool,
) -> None:
    from pipeline.clock import utc_now
    from pipeline.learn.experiments import planning_for_account

    if not as_json:
        _show(planned)
    if not register and ask:
        register = experiment_asking.agrees("Register it? It cannot be changed afterwards [y/N] ")
    stored = None
    if register:
        stored = planning_for_account.register(
            settings, planned, by=options.decider(by), now=utc_now()
        )
    if as_json:
        told = {
            "experiment_id": stored.experiment_id if stored else None,
            "registration_sha256": stored.sha256() if stored else None,
        }
        output.print_json({**told, **planned.to_json()})
    elif stored is not None:
        output.say(f"Registered as {stored.experiment_id}; it starts within the hour.")
    else:
        output.say("Nothing was stored. With --register it is.")


def _show(planned: "Planned") -> None:
    request = planned.request
    output.say_indented(output.plain(request.question))
    for place, arm in enumerate(request.arms):
        choices = ", ".join(f"{name} {segment}" for name, segment in arm.choices.items())
        role = "usual" if place == 0 else "tried"
        said = output.plain(arm.instructions) if arm.instructions else ""
        what = "; ".join(filter(None, (choices, said))) or "everything is left to the draw"
        output.say_indented(f"  {role}: {output.plain(arm.name)} – {what}")
    for guard in request.guards:
        output.say(f"  guard: {guard.metric} may fall to {guard.smallest_allowed_ratio:g} times")
    output.say()
    for sentence in planned.sentences:
        output.say_indented(sentence)
    if planned.warnings:
        output.say()
        for warning in planned.warnings:
            output.say_indented(output.plain(warning))
    output.say()
