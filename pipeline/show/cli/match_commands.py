"""``afterpost match``: which post came from which planned post, and a person's word about it."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.show.cli import options, output
from pipeline.show.cli.output import Align
from pipeline.show.figure_words import MISSING, moment

if TYPE_CHECKING:
    from pipeline.accounts import Platform
    from pipeline.collect.labelling import AccountPosts
    from pipeline.collect.own_posts import OwnPost
    from pipeline.settings import Settings

app = typer.Typer(
    help="Which post came from which planned post; correct it by hand.", no_args_is_help=True
)

PostId = Annotated[
    str,
    typer.Argument(metavar="POST_ID", help="The platform's id of the post.", show_default=False),
]
OnePlatform = Annotated[
    str | None,
    typer.Option("--platform", "-p", help="Only needed where two platforms share the id."),
]
Forget = Annotated[
    bool,
    typer.Option("--forget", help="Take back what was said by hand; the program decides again."),
]
CAPTION_LENGTH = 60
"""Characters of a caption that a list shows."""


@app.command("list")
def list_matches(account: options.Account, as_json: options.AsJson = False) -> None:
    """List matched, ambiguous and unmatched posts and plans.

    Example: afterpost match list --account dreamtimelullabies
    """
    _, known = account_posts_of(account)
    figures = _figures(known)
    if as_json:
        output.print_json(figures)
        return
    output.say(
        f"{account}: {len(known.posts)} posts, {len(known.plans)} planned posts, "
        f"{len(figures['matched'])} matched"
    )
    post_columns = [("platform", Align.LEFT), ("post", Align.LEFT), ("posted", Align.LEFT)]
    if figures["matched"]:
        output.heading("Matched")
        output.table(
            [*post_columns, ("plan", Align.LEFT), ("score", Align.RIGHT), ("by", Align.LEFT)],
            [
                [*_post_cells(row), row["planned_id"], f"{row['score']:.2f}", row["source"]]
                for row in figures["matched"]
            ],
        )
    if figures["ambiguous"]:
        output.heading("Ambiguous: say which with `afterpost match set POST_ID PLANNED_ID`")
        output.table(
            [*post_columns, ("candidates", Align.LEFT)],
            [
                [
                    *_post_cells(row),
                    "\n".join(
                        f"{one['planned_id']} {one['score']:.2f}" for one in row["candidates"]
                    ),
                ]
                for row in figures["ambiguous"]
            ],
        )
    if figures["unmatched_plans"]:
        output.heading("Planned posts without a post")
        output.table(
            [("plan", Align.LEFT), ("planned", Align.LEFT)],
            [[row["planned_id"], moment(row["planned_at"])] for row in figures["unmatched_plans"]],
        )
    if figures["unmatched_posts"]:
        output.heading("Posts without a plan")
        output.table(
            [*post_columns, ("by", Align.LEFT), ("caption", Align.LEFT)],
            [
                [*_post_cells(row), row["source"] or MISSING, row["caption"] or ""]
                for row in figures["unmatched_posts"]
            ],
        )
    for problem in known.problems:
        output.note(output.plain(problem))


@app.command("set")
def set_match(
    post_id: PostId,
    planned_id: Annotated[
        str, typer.Argument(metavar="PLANNED_ID", help="Name of a folder under output/.")
    ],
    account: options.Account,
    platform: OnePlatform = None,
    by: options.By = None,
) -> None:
    """Say from which planned post a post came.

    It stays so whatever the texts look like.

    Example: afterpost match set 7412345678901234567 2026-10-01_bedtime --account my_account
    """
    from pipeline.clock import utc_now
    from pipeline.collect import corrections

    settings, known = account_posts_of(account)
    post = corrections.find_post(known, post_id, one_platform(platform))
    corrections.set_match(settings, known, post, planned_id, by=options.decider(by), now=utc_now())
    output.say(output.plain(f"Post {post.post_id} came from {planned_id}. Next: afterpost build"))


@app.command("clear")
def clear_match(
    post_id: PostId,
    account: options.Account,
    platform: OnePlatform = None,
    forget: Forget = False,
    by: options.By = None,
) -> None:
    """Say that a post came from no plan, or take that back.

    Example: afterpost match clear 7412345678901234567 --account my_account
    """
    from pipeline.clock import utc_now
    from pipeline.collect import corrections

    settings, known = account_posts_of(account)
    post = corrections.find_post(known, post_id, one_platform(platform))
    if forget:
        corrections.forget_match(settings, known, post)
        said = f"Post {post.post_id} is matched by its text again"
    else:
        corrections.clear_match(settings, known, post, by=options.decider(by), now=utc_now())
        said = f"Post {post.post_id} came from no plan"
    output.say(f"{said}. Next: afterpost build")


def account_posts_of(account: str) -> "tuple[Settings, AccountPosts]":
    """The settings, and the account's posts of the published copy with what is known of them now.

    Raises:
        ConfigurationError: No such account, or its file is wrong.
        NothingPublishedError: No build has been green yet.
    """
    from pipeline.accounts import load_account
    from pipeline.clients.warehouse import reading
    from pipeline.collect.labelling import account_posts
    from pipeline.settings import load_settings

    settings = load_settings()
    config = load_account(settings.accounts_dir, account)
    with reading(settings) as connection:
        return settings, account_posts(settings, connection, config)


def one_platform(name: str | None) -> "Platform | None":
    """The named platform, or None. Raises UsageError for a name that is none."""
    from pipeline.show.cli.collect_commands import chosen_platforms

    return chosen_platforms([name])[0] if name else None


def _short_caption(post: "OwnPost") -> str | None:
    """The beginning of a caption in one line."""
    if post.caption is None:
        return None
    text = " ".join(output.plain(post.caption).split())
    return text if len(text) <= CAPTION_LENGTH else text[: CAPTION_LENGTH - 1] + "…"


def _figures(known: "AccountPosts") -> dict[str, Any]:
    posts = {(post.platform, post.post_id): post for post in known.posts}
    ambiguous = {(one.platform, one.post_id) for one in known.matching.ambiguous}
    matched_plans = {match.planned_id for match in known.matches}
    return {
        "account": known.account.name,
        "matched": [
            {
                **post_figures(posts[match.platform, match.post_id]),
                "planned_id": match.planned_id,
                "score": match.score,
                "source": match.source.value,
            }
            for match in known.matches
        ],
        "ambiguous": [
            {
                **post_figures(posts[one.platform, one.post_id]),
                "candidates": [
                    {"planned_id": planned_id, "score": score}
                    for planned_id, score in one.candidates
                ],
            }
            for one in known.matching.ambiguous
        ],
        "unmatched_posts": [
            {
                **post_figures(post),
                "source": "person"
                if (post.platform, post.post_id) in known.person_matches
                else None,
            }
            for post in known.unplanned_posts
            if (post.platform, post.post_id) not in ambiguous
        ],
        "unmatched_plans": [
            {
                "planned_id": plan.planned_id,
                "planned_at": plan.planned_at,
                "platform": plan.platform,
            }
            for plan in known.plans
            if plan.planned_id not in matched_plans
        ],
    }


def post_figures(post: "OwnPost") -> dict[str, Any]:
    """Which post it is, for lists."""
    return {
        "platform": post.platform.value,
        "post_id": post.post_id,
        "posted_at": post.posted_at,
        "caption": _short_caption(post),
    }


def _post_cells(row: dict[str, Any]) -> list[str]:
    return [row["platform"], row["post_id"], moment(row["posted_at"])]
