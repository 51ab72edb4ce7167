"""What a person says about a post, by hand: its plan, and its labels. It stands above all else.

Saying "none" is a word of its own and sticks; forgetting takes the word back, so that the program
finds a plan or a label again. The state database keeps it all, and the raw load applies it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from pipeline.accounts import Platform
from pipeline.collect.labelling import AccountPosts
from pipeline.collect.labels import Dimension, label_lists
from pipeline.collect.own_posts import OwnPost
from pipeline.errors import CorrectionError
from pipeline.settings import Settings

_MOST_NAMES_TOLD = 12
_LONGEST_NAME = 63


def find_post(known: AccountPosts, post_id: str, platform: Platform | None = None) -> OwnPost:
    """The account's post of that id.

    Raises:
        CorrectionError: There is none, or there is one on several platforms and none was named.
    """
    found = [
        post
        for post in known.posts
        if post.post_id == post_id and platform in (None, post.platform)
    ]
    if not found:
        where = f" on {platform.value}" if platform else ""
        raise CorrectionError(
            f"{known.account.name} has no post {post_id!r}{where} in the published data: see "
            f"`afterpost match list --account {known.account.name}` for the ids."
        )
    if len(found) > 1:
        names = " and ".join(post.platform.value for post in found)
        raise CorrectionError(f"Post {post_id!r} is on {names}: say which with --platform.")
    return found[0]


def set_match(
    settings: Settings,
    known: AccountPosts,
    post: OwnPost,
    planned_id: str,
    *,
    by: str,
    now: datetime,
) -> None:
    """Store that a post came from a plan.

    Raises:
        CorrectionError: There is no such plan, or somebody gave it to another post of the platform.
    """
    name = known.account.name
    if planned_id not in {plan.planned_id for plan in known.plans}:
        raise CorrectionError(
            f"{name} has no planned post {planned_id!r}: it is the name of a folder under "
            f"{settings.accounts_dir / name / 'output'}."
        )
    ids = {(one.platform, one.post_id) for one in known.posts}
    for (platform, post_id), taken in known.person_matches.items():
        is_other = post_id != post.post_id and (platform, post_id) in ids
        if taken == planned_id and platform is post.platform and is_other:
            raise CorrectionError(
                f"Planned post {planned_id!r} was given to post {post_id} on {platform.value} "
                f"already: first run `afterpost match clear {post_id} --account {name}`."
            )
    _put_match(settings, known, post, planned_id, by=by, now=now)


def clear_match(
    settings: Settings, known: AccountPosts, post: OwnPost, *, by: str, now: datetime
) -> None:
    """Store that a post came from no plan."""
    _put_match(settings, known, post, None, by=by, now=now)


def forget_match(settings: Settings, known: AccountPosts, post: OwnPost) -> None:
    """Take back what a person said about a post's plan."""
    from pipeline.clients.state_labels import forget_person_match

    forget_person_match(settings, known.account.name, post.platform.value, post.post_id)


def set_labels(
    settings: Settings,
    known: AccountPosts,
    post: OwnPost,
    labels: Mapping[Dimension, str | None],
    *,
    by: str,
    now: datetime,
) -> None:
    """Store labels of a post; None says that none fits.

    Raises:
        CorrectionError: A name is not one of those that the account lists or its plans use.
    """
    from pipeline.clients.state_labels import put_person_labels

    for dimension, label in labels.items():
        if label is not None:
            _check_name(known, dimension, label)
    put_person_labels(
        settings,
        [
            {
                **_key(known, post),
                "dimension": dimension.value,
                "label": label,
                "decided_by": by,
                "decided_at": now,
            }
            for dimension, label in labels.items()
        ],
    )


def forget_labels(
    settings: Settings, known: AccountPosts, post: OwnPost, dimensions: Sequence[Dimension]
) -> None:
    """Take back what a person said about some dimensions of a post."""
    from pipeline.clients.state_labels import forget_person_labels

    names = [dimension.value for dimension in dimensions]
    forget_person_labels(settings, known.account.name, post.platform.value, post.post_id, names)


def _check_name(known: AccountPosts, dimension: Dimension, label: str) -> None:
    listed = [one.name for one in label_lists(known.account)[dimension]]
    used = set()
    if dimension is not Dimension.HOOK_STYLE:
        used = {getattr(plan, dimension.value) for plan in known.plans} - {None}
    if label in listed or label in used:
        return
    if listed:
        told = ", ".join(listed[:_MOST_NAMES_TOLD])
        more = "" if len(listed) <= _MOST_NAMES_TOLD else ", …"
        hint = "" if dimension is Dimension.HOOK_STYLE else ", or list it in account.yaml first"
        raise CorrectionError(
            f"{label!r} is no {dimension.value} of {known.account.name}: use one of "
            f"{told}{more}{hint}."
        )
    if not label.strip() or len(label) > _LONGEST_NAME or not label.isprintable():
        raise CorrectionError(
            f"{label!r} cannot be a {dimension.value}: write a short name of one line."
        )


def _put_match(
    settings: Settings,
    known: AccountPosts,
    post: OwnPost,
    planned_id: str | None,
    *,
    by: str,
    now: datetime,
) -> None:
    from pipeline.clients.state_labels import put_person_match

    row = {"planned_id": planned_id, "decided_by": by, "decided_at": now}
    put_person_match(settings, {**_key(known, post), **row})


def _key(known: AccountPosts, post: OwnPost) -> dict[str, str]:
    return {
        "account_name": known.account.name,
        "platform": post.platform.value,
        "post_id": post.post_id,
    }
