"""Predictions that nobody asks for: of planned posts, and of young posts without a plan.

A plan whose day is more than two days over is left out, as the matching of posts and plans leaves
it out: it was given up, or its post is out under another text, and then nothing of it would be
said before. A post that came without a plan is predicted within a day, as if it were about to go
out: from what was known then, and by a model that was fitted before.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.accounts import AccountConfig, load_account
from pipeline.clients.state_predictions import model_rows, predicted_subjects, stored_predictions
from pipeline.clients.warehouse import reading
from pipeline.collect.planned import PlannedPost, read_planned_posts
from pipeline.learn.predict.answers import Prediction, stored_answer
from pipeline.learn.predict.requests import PredictionRequest
from pipeline.learn.predict.serving import predict_all
from pipeline.settings import Settings

LATEST_PLAN = timedelta(days=2)
YOUNG = timedelta(hours=24)

Subject = tuple[str, str, str, str]
"""Account, platform, ``plan`` or ``post``, and its id."""


@dataclass(frozen=True)
class PlannedPredictions:
    """What there is to say about the planned posts of some accounts."""

    new: tuple[Prediction, ...]
    """Said now."""
    earlier: tuple[Prediction, ...]
    """Said before, as it was said."""
    over_count: int
    """Plans that were left out because their day is over."""
    problems: tuple[str, ...]
    """One sentence per folder that could not be read."""

    @property
    def all(self) -> list[Prediction]:
        """Both, by account and the time of the post."""
        return sorted(
            (*self.new, *self.earlier),
            key=lambda one: (one.account_name, one.planned_at, one.planned_id or "", one.platform),
        )


def predict_planned(
    settings: Settings, account_names: Sequence[str], now: datetime
) -> PlannedPredictions:
    """Predict each planned post that is not out, once; on each platform where it names none.

    Args:
        settings: Where everything is.
        account_names: Whose plans.
        now: The moment, with its zone.

    Raises:
        UnknownAccountError: No such account.
        NothingPublishedError: No build has been green yet.
    """
    requests: list[PredictionRequest] = []
    problems: list[str] = []
    over_count = 0
    posted = posted_plans(settings)
    for name in account_names:
        account = load_account(settings.accounts_dir, name)
        plans = read_planned_posts(settings, account)
        problems += plans.problems
        for plan in plans.posts:
            if (name, plan.planned_id) in posted:
                continue
            if plan.planned_at is not None and plan.planned_at < now - LATEST_PLAN:
                over_count += 1
                continue
            requests += requests_of(account, plan)
    known = predicted_subjects(settings)
    due = [request for request in requests if _subject(request) not in known]
    wanted = {_subject(request) for request in requests} & known
    new = predict_all(settings, due, now)
    return PlannedPredictions(
        new=tuple(new),
        earlier=tuple(_earlier(settings, account_names, wanted)),
        over_count=over_count,
        problems=tuple(problems),
    )


def unpredicted_plans(settings: Settings, account_names: Sequence[str], now: datetime) -> list[str]:
    """The planned posts that :func:`predict_planned` would predict, as ``account/folder``.

    Raises as :func:`predict_planned`.
    """
    known = predicted_subjects(settings)
    posted = posted_plans(settings)
    found = []
    for name in account_names:
        account = load_account(settings.accounts_dir, name)
        for plan in read_planned_posts(settings, account).posts:
            is_over = plan.planned_at is not None and plan.planned_at < now - LATEST_PLAN
            if is_over or (name, plan.planned_id) in posted:
                continue
            subjects = {_subject(request) for request in requests_of(account, plan)}
            if subjects - known:
                found.append(f"{name}/{plan.planned_id}")
    return found


def predict_young(settings: Settings, now: datetime) -> list[Prediction]:
    """Predict the posts that went out in the last day, unless they or their plans were predicted.

    Raises:
        NothingPublishedError: No build has been green yet.
    """
    with reading(settings) as connection:
        rows = connection.execute(
            """
            select
                account_name, platform, post_id, posted_at, planned_id, format, pillar, topic,
                hook_style, cta, media_type, hook_text, caption, slide_count, duration_s
            from marts.dim_post
            where posted_at > $since and posted_at <= $now and is_ad is distinct from true
            order by posted_at, account_name, platform, post_id
            """,
            {"since": now - YOUNG, "now": now},
        ).fetchall()
    known = predicted_subjects(settings)
    due = []
    for (
        account, platform, post_id, posted_at, planned_id, format_name, pillar, topic, hook_style,
        cta, media_type, hook, caption, slide_count, duration_s,
    ) in rows:  # fmt: skip
        subjects = {(account, platform, "post", post_id), (account, platform, "plan", planned_id)}
        if subjects & known:
            continue
        due.append(
            PredictionRequest(
                account=account,
                platform=platform,
                format=format_name,
                pillar=pillar,
                topic=topic,
                hook=hook,
                hook_style=hook_style,
                cta=cta,
                caption=caption,
                planned_at=posted_at,
                media_type=media_type,
                slide_count=slide_count,
                duration_s=duration_s,
                post_id=post_id,
            )
        )
    return predict_all(settings, due, now)


def requests_of(account: AccountConfig, plan: PlannedPost) -> list[PredictionRequest]:
    """What a plan asks: one request for each platform that it is for, none where it has none."""
    profiles = sorted(platform.value for platform in account.platform_profiles)
    platforms = profiles if plan.platform is None else [plan.platform]
    return [
        PredictionRequest(
            account=account.name,
            platform=platform,
            format=plan.format,
            pillar=plan.pillar,
            topic=plan.topic,
            hook=plan.hook_text,
            hook_style=plan.hook_style,
            cta=plan.cta,
            caption=plan.caption,
            planned_at=plan.planned_at,
            slide_count=plan.slide_count,
            planned_id=plan.planned_id,
        )
        for platform in platforms
        if platform in profiles
    ]


def _subject(request: PredictionRequest) -> Subject:
    return (request.account, request.platform or "", "plan", request.planned_id or "")


def posted_plans(settings: Settings) -> frozenset[tuple[str, str]]:
    """The plans that are out, by account and folder.

    Raises:
        NothingPublishedError: No build has been green yet.
    """
    with reading(settings) as connection:
        rows = connection.execute(
            "select account_name, planned_id from marts.dim_post where planned_id is not null"
        ).fetchall()
    return frozenset((str(account), str(planned)) for account, planned in rows)


def _earlier(
    settings: Settings, account_names: Sequence[str], subjects: Iterable[Subject]
) -> list[Prediction]:
    """The first that was said about each plan."""
    wanted = set(subjects)
    if not wanted:
        return []
    said: dict[Subject, list[dict[str, object]]] = {}
    for row in reversed(stored_predictions(settings, accounts=account_names)):
        subject = (row["account_name"], row["platform"], "plan", row["planned_id"])
        if subject in wanted:
            first = said.setdefault(subject, [])
            if not first or first[0]["predicted_at"] == row["predicted_at"]:
                first.append(row)
    models = {row["model_version"]: row for row in model_rows(settings)}
    return [stored_answer(rows, models) for rows in said.values()]
