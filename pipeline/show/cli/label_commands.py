"""``afterpost label``: what posts are labelled as, where that comes from, and a person's word."""

from typing import Annotated, Any

import typer

from pipeline.errors import UsageError
from pipeline.show.cli import options, output
from pipeline.show.cli.match_commands import (
    Forget,
    OnePlatform,
    PostId,
    account_posts_of,
    one_platform,
    post_figures,
)
from pipeline.show.cli.output import Align
from pipeline.show.figure_words import MISSING

app = typer.Typer(help="What posts are labelled as; correct it by hand.", no_args_is_help=True)

_SHORT_SOURCES = {"person": "by hand", "planned": "plan", "rule": "rule", "model": "model"}


@app.command("list")
def list_labels(account: options.Account, as_json: options.AsJson = False) -> None:
    """List the labels of every post and where each comes from.

    Example: afterpost label list --account dreamtimelullabies
    """
    from pipeline.collect.labelling import labels_of
    from pipeline.collect.labels import Dimension

    settings, known = account_posts_of(account)
    labels: dict[tuple[str, str], dict[str, dict[str, str]]] = {}
    for row in labels_of(settings, known):
        of_post = labels.setdefault((row["platform"], row["post_id"]), {})
        of_post[row["dimension"]] = {"label": row["label"], "source": row["label_source"]}
    rows: list[dict[str, Any]] = [
        {
            **post_figures(post),
            "labels": labels.get((post.platform.value, post.post_id), {}),
        }
        for post in known.posts
    ]
    if as_json:
        output.print_json({"account": account, "posts": rows})
        return
    names = [dimension.value for dimension in Dimension]
    output.table(
        [("post", Align.LEFT), *((name.replace("_", " "), Align.LEFT) for name in names)],
        [
            [
                f"{row['platform']} {row['post_id']}\n{row['caption'] or ''}",
                *(_cell(row["labels"].get(name)) for name in names),
            ]
            for row in rows
        ],
    )


@app.command("set")
def set_labels(
    post_id: PostId,
    *,
    account: options.Account,
    format_: Annotated[str | None, typer.Option("--format", help="One of its formats.")] = None,
    pillar: Annotated[str | None, typer.Option(help="One of its content_pillars.")] = None,
    topic: Annotated[str | None, typer.Option(help="One of its topics.")] = None,
    hook_style: Annotated[str | None, typer.Option(help="How the first line works.")] = None,
    cta: Annotated[str | None, typer.Option(help="One of its calls to action.")] = None,
    platform: OnePlatform = None,
    by: options.By = None,
) -> None:
    """Say what a post is; it stays so.

    Example: afterpost label set 7412345678901234567 --account my_account --format step_guide
    """
    from pipeline.clock import utc_now
    from pipeline.collect import corrections
    from pipeline.collect.labels import Dimension

    given = (format_, pillar, topic, hook_style, cta)
    labels = {
        dimension: label
        for dimension, label in zip(Dimension, given, strict=True)
        if label is not None
    }
    if not labels:
        raise UsageError("No label was given: add --format NAME, --pillar NAME or another one.")
    settings, known = account_posts_of(account)
    post = corrections.find_post(known, post_id, one_platform(platform))
    corrections.set_labels(settings, known, post, labels, by=options.decider(by), now=utc_now())
    told = ", ".join(f"{dimension.value} {label}" for dimension, label in labels.items())
    output.say(output.plain(f"Post {post.post_id}: {told}. Next: afterpost build"))


@app.command("clear")
def clear_labels(
    post_id: PostId,
    *,
    account: options.Account,
    format_: Annotated[bool, typer.Option("--format", help="The format.")] = False,
    pillar: Annotated[bool, typer.Option("--pillar", help="The pillar.")] = False,
    topic: Annotated[bool, typer.Option("--topic", help="The topic.")] = False,
    hook_style: Annotated[bool, typer.Option("--hook-style", help="The hook style.")] = False,
    cta: Annotated[bool, typer.Option("--cta", help="The call to action.")] = False,
    platform: OnePlatform = None,
    forget: Forget = False,
    by: options.By = None,
) -> None:
    """Say that no name fits a post, or take back what was said.

    Example: afterpost label clear 7412345678901234567 --account my_account --pillar
    """
    from pipeline.clock import utc_now
    from pipeline.collect import corrections
    from pipeline.collect.labels import Dimension

    chosen: list[Dimension] = [
        dimension
        for dimension, is_named in zip(
            Dimension, (format_, pillar, topic, hook_style, cta), strict=True
        )
        if is_named
    ]
    if not chosen:
        raise UsageError("Nothing was named to clear: add --format, --pillar or another one.")
    settings, known = account_posts_of(account)
    post = corrections.find_post(known, post_id, one_platform(platform))
    names = " and ".join(dimension.value for dimension in chosen)
    if forget:
        corrections.forget_labels(settings, known, post, chosen)
        said = f"Post {post.post_id}: {names} is found by the program again"
    else:
        none: dict[Dimension, str | None] = dict.fromkeys(chosen)
        corrections.set_labels(settings, known, post, none, by=options.decider(by), now=utc_now())
        said = f"Post {post.post_id} has no {names}"
    output.say(f"{said}. Next: afterpost build")


def _cell(label: dict[str, str] | None) -> str:
    if label is None:
        return MISSING
    return f"{label['label']} ({_SHORT_SOURCES[label['source']]})"
