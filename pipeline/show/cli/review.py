"""``afterpost review``: decide about pending recommendations, one by one or by their ids."""

import dataclasses
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.errors import UsageError
from pipeline.show.cli import options, output
from pipeline.show.figure_words import percent

if TYPE_CHECKING:
    from pipeline.decide.decision import Decision
    from pipeline.decide.review import Outlook
    from pipeline.learn.recommend.recommendation import Recommendation
    from pipeline.settings import Settings

ANSWERS = "[y] approve  [n] reject  [e] edit  [s] skip"


def review(
    account: options.Account,
    approve: Annotated[
        list[str] | None, typer.Option("--approve", metavar="ID", help="May be repeated.")
    ] = None,
    reject: Annotated[
        list[str] | None, typer.Option("--reject", metavar="ID", help="May be repeated.")
    ] = None,
    note: options.Note = None,
    by: options.By = None,
    as_json: options.AsJson = False,
) -> None:
    """Approve or reject pending recommendations.

    Nothing but an approval changes performance_context.json.

    Without ids it asks about each: y approves, n rejects, e approves another weight or slide count,
    s or nothing skips. Answers may be piped.

    Example: afterpost review --account dreamtimelullabies --approve ID --reject ID
    """
    from pipeline.accounts import load_account
    from pipeline.settings import load_settings

    settings = load_settings()
    load_account(settings.accounts_dir, account)
    from pipeline.decide.review import pending

    if approve or reject:
        made = _decide_by_id(settings, account, approve or (), reject or (), by=by, note=note)
        if as_json:
            output.print_json([dataclasses.asdict(decision) for decision in made])
        else:
            for decision in made:
                _say_decision(settings, decision)
        return
    waiting = pending(settings, account)
    if as_json:
        output.print_json([recommendation_figures(settings, item) for item in waiting])
        return
    review_pending(settings, account, waiting, ask=True, by=by, note=note)


def review_pending(
    settings: "Settings",
    account: str,
    waiting: "Sequence[Recommendation]",
    *,
    ask: bool,
    by: str | None = None,
    note: str | None = None,
) -> None:
    """Show what waits and, when ``ask``, decide about each by an answer from stdin.

    End of input or an interrupt skips this one and all after it; what was decided stays decided.
    """
    output.heading("Pending recommendations")
    if not waiting:
        output.say("None. `afterpost recommend` looks for new ones.")
        return
    can_answer = ask
    for number, recommendation in enumerate(waiting, start=1):
        _show(settings, number, recommendation)
        if can_answer:
            can_answer = _ask_about(settings, recommendation, by=by, note=note)
    if not ask:
        output.say()
        output.say(f"Decide: afterpost review --account {account}")
        output.say(f"    or: afterpost review --account {account} --approve ID, or --reject ID")
    elif not can_answer:
        output.say("The rest was skipped and stays pending.")


def recommendation_figures(
    settings: "Settings", recommendation: "Recommendation"
) -> dict[str, Any]:
    """A recommendation's fields for a program, with its proposal in words."""
    return {**recommendation.to_row(), **dataclasses.asdict(_outlook(settings, recommendation))}


def _outlook(settings: "Settings", recommendation: "Recommendation") -> "Outlook":
    from pipeline.clock import utc_now
    from pipeline.decide.review import outlook

    return outlook(settings, recommendation, now=utc_now())


def _show(settings: "Settings", number: int, recommendation: "Recommendation") -> None:
    """The recommendation as the review shows it: two lines, and its id."""
    insight = output.plain(recommendation.insight)
    sampled = f" ({recommendation.sample_size} posts sampled)"
    if "sampled" in insight:
        sampled = ""  # the sentence already says how many
    output.say()
    output.say_indented(
        f"{number}. [{recommendation.confidence.upper()}] {recommendation.category.value}: "
        f"{insight}{sampled}"
    )
    found = _outlook(settings, recommendation)
    output.say_indented(f"   Proposed: {output.plain(found.proposed)}")
    if found.expected_share_decided is not None:
        share = percent(found.expected_share_decided)
        output.say(f"   Verdict: {share} chance of one within 8 weeks at this pace")
    output.say(f"   id: {recommendation.recommendation_id}")


def _ask_about(
    settings: "Settings", recommendation: "Recommendation", *, by: str | None, note: str | None
) -> bool:
    """Ask until there is a decision or a skip; False when there will be no more answers."""
    from pipeline.errors import DecisionError

    while True:
        answer = _typed(f"   {ANSWERS} ")
        if answer is None:
            return False
        if answer[:1].lower() in {"", "s"}:
            return True
        if answer[:1].lower() in {"y", "n"}:
            recommendation_id = recommendation.recommendation_id
            decided = _decide(settings, recommendation_id, answer[0].lower(), by=by, note=note)
            _say_decision(settings, decided)
            return True
        if answer[:1].lower() != "e":
            output.say(f"   {output.plain(answer)!r} is no answer: type y, n, e or s.")
            continue
        value = _typed("   new value: ")
        if value is None:
            return False
        try:
            decided = _decide_edited(settings, recommendation, value, by=by, note=note)
        except DecisionError as error:
            output.say(f"   {output.plain(str(error))}")
            continue
        _say_decision(settings, decided)
        return True


def _typed(prompt: str) -> str | None:
    """What was typed; None when there will be nothing more."""
    try:
        typed = input(prompt).strip()
    except (EOFError, KeyboardInterrupt):
        output.say()
        return None
    if not sys.stdin.isatty():
        output.say()  # nobody typed the line break that ends the prompt's line
    return typed


def _decide_edited(
    settings: "Settings",
    recommendation: "Recommendation",
    value: str,
    *,
    by: str | None,
    note: str | None,
) -> "Decision":
    from pipeline.accounts import load_account
    from pipeline.clock import utc_now
    from pipeline.decide.changes import edit_of
    from pipeline.decide.context import ensure_context
    from pipeline.decide.review import approve

    now = utc_now()
    account = load_account(settings.accounts_dir, recommendation.account_name)
    document = ensure_context(settings, account, now).document
    return approve(
        settings,
        recommendation.recommendation_id,
        by=options.decider(by),
        now=now,
        note=note,
        operations=edit_of(recommendation, document, value),
    )


def _decide(
    settings: "Settings", recommendation_id: str, answer: str, *, by: str | None, note: str | None
) -> "Decision":
    from pipeline.clock import utc_now
    from pipeline.decide.review import approve, reject

    decide = approve if answer == "y" else reject
    return decide(settings, recommendation_id, by=options.decider(by), now=utc_now(), note=note)


def _say_decision(settings: "Settings", decision: "Decision") -> None:
    from pipeline.decide.context import context_path
    from pipeline.decide.decision import DecisionKind

    if decision.is_approval:
        path = output.short_path(context_path(settings, decision.account_name))
        word = "edited and approved" if decision.decision is DecisionKind.EDITED else "approved"
        output.say(f"   {word} {decision.recommendation_id}: {path} has it")
    else:
        output.say(f"   rejected {decision.recommendation_id}")


def _decide_by_id(
    settings: "Settings",
    account: str,
    approve: Sequence[str],
    reject: Sequence[str],
    *,
    by: str | None,
    note: str | None,
) -> "list[Decision]":
    """Decide about named recommendations, after checking that the names fit together.

    Raises:
        UsageError: One is to be approved and rejected, or belongs to another account.
    """
    from pipeline.decide.review import pending

    both = sorted(set(approve) & set(reject))
    if both:
        raise UsageError(f"{both[0]} cannot be approved and rejected at once: name it once.")
    owners = {item.recommendation_id: item.account_name for item in pending(settings)}
    for recommendation_id in (*approve, *reject):
        owner = owners.get(recommendation_id, account)
        if owner != account:
            raise UsageError(
                f"{recommendation_id} belongs to account {owner}, not to {account}: "
                f"use --account {owner}."
            )
    answers = [(item, "y") for item in approve] + [(item, "n") for item in reject]
    return [
        _decide(settings, recommendation_id, answer, by=by, note=note)
        for recommendation_id, answer in dict(answers).items()
    ]
