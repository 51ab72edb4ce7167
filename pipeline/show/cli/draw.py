"""``afterpost draw``: what to make next, with the probability of the pick."""

from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.show.cli import options, output

if TYPE_CHECKING:
    from pipeline.decide.briefs import Brief


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
    as_json: options.AsJson = False,
) -> None:
    """Draw briefs for the next posts from the context.

    Each has the probability of its pick and the context's id: store both in meta.json
    (docs/generator.md), or nothing can be learned from the draw.

    Example: afterpost draw dreamtimelullabies -n 5
    """
    from pipeline.accounts import load_account
    from pipeline.clock import utc_now
    from pipeline.decide.context import ensure_context
    from pipeline.decide.draw import draw_briefs
    from pipeline.settings import load_settings

    settings = load_settings()
    config = load_account(settings.accounts_dir, options.one_account(account, account_option))
    ensure_context(settings, config, utc_now())
    briefs = draw_briefs(settings.accounts_dir / config.name, number, seed)
    if as_json:
        output.print_json([{**brief.to_json(), "stamp": brief.stamp()} for brief in briefs])
        return
    for brief in briefs:
        _say(brief)
    output.say(f"The same again: --seed {briefs[0].seed}")


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
        else f" ({100 * brief.pick_probability:.1f}\N{NO-BREAK SPACE}%, {brief.arm})"
    )
    output.say_indented(output.plain(f"{brief.format or 'any format'}{probability}: {told}"))
    output.say(f"  draw {brief.draw_id}, context {brief.context_id}")
