"""The sentences of alerts, made of their figures and of nothing else."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from pipeline.accounts import AlertKind
from pipeline.show.alerts.findings import Figures
from pipeline.show.figure_words import day, percent, plural, standard_age, times

_METRICS = {"views": "views", "engagement": "reactions"}


def sentence(kind: AlertKind, platform: str | None, figures: Figures) -> str:
    """What an alert says while it stands."""
    return _WORDS[kind](platform or "", figures)


def ended_sentence(
    kind: AlertKind, platform: str | None, figures: Figures, *, with_figures: bool
) -> str:
    """What is said when it is over.

    Args:
        kind: Of the alert.
        platform: Of the alert.
        figures: Those that show the end, else the alert's last ones.
        with_figures: Whether they show the end.
    """
    if kind is AlertKind.PERFORMANCE_DROP and with_figures:
        return _drop_over(platform or "", figures)
    if kind is AlertKind.LOW_ENGAGEMENT and with_figures:
        return _engagement_over(platform or "", figures)
    return _OVER[kind].format(platform=platform or "", what=figures.get("what", ""))


def _percent(fraction: float, decimals: int = 0) -> str:
    return percent(fraction, decimals, " ")


def _against_usual(ratio: float) -> str:
    """A ratio to the usual as a change: ``58 % below``."""
    return f"{_percent(abs(1 - ratio))} {'below' if ratio < 1 else 'above'}"


def _multiple(ratio: float) -> str:
    """A ratio that is far from the usual, with two or three digits."""
    return f"{ratio:.1f}×" if ratio < 10 else f"{ratio:,.0f}×"


def _posts(n: int) -> str:
    return plural(n, "post")


def _age(figures: Figures) -> str:
    return standard_age(int(figures["age_hours"]))


def _metric(figures: Figures) -> str:
    return _METRICS.get(str(figures["metric"]), str(figures["metric"]))


def _drop(platform: str, figures: Figures) -> str:
    return (
        f"The last {figures['late_n']} posts on {platform} have {_percent(1 - figures['ratio'])} "
        f"fewer {_metric(figures)} at {_age(figures)} than the {_posts(figures['earlier_n'])} "
        f"before them (90 % interval {_percent(1 - figures['ratio_high'])} to "
        f"{_percent(1 - figures['ratio_low'])})."
    )


def _drop_over(platform: str, figures: Figures) -> str:
    now = (
        f"the last {figures['late_n']} posts have {_metric(figures)} at {_age(figures)} "
        f"{_against_usual(figures['ratio'])} what was usual before "
        f"({_posts(figures['earlier_n'])}, 90 % interval of the ratio "
        f"{figures['ratio_low']:.2f} to {figures['ratio_high']:.2f})."
    )
    if figures.get("ended") == "new_usual":
        return f"Reach on {platform} has stayed lower for so long that it is the usual now: {now}"
    return f"Reach on {platform} has come back: {now}"


def _low_engagement(platform: str, figures: Figures) -> str:
    told = (
        f"{figures['low_n']} of the last {_posts(figures['n'])} on {platform} have an engagement "
        f"rate below {_percent(figures['threshold'], 1)} at {_age(figures)} (90 % interval of the "
        f"share {_percent(figures['share_low'])} to {_percent(figures['share_high'])}; median rate "
        f"{_percent(figures['median_rate'], 2)})."
    )
    if figures["is_usual"]:
        told += f" That is usual here: the {_posts(figures['earlier_n'])} before were low too."
    return told


def _engagement_over(platform: str, figures: Figures) -> str:
    return (
        f"Engagement on {platform} has recovered: {figures['low_n']} of the last "
        f"{_posts(figures['n'])} have a rate below {_percent(figures['threshold'], 1)} (90 % "
        f"interval of the share {_percent(figures['share_low'])} to "
        f"{_percent(figures['share_high'])})."
    )


def _breakout(platform: str, figures: Figures) -> str:
    young = figures["seen_at_hours"] < figures["age_hours"]
    at = f"{figures['seen_at_hours']:.0f} h already" if young else _age(figures)
    usual = f"is usual at {_age(figures)}" if young else "is usual then"
    return (
        f"Post {figures['post_id']} on {platform} has {figures['count']:,} {_metric(figures)} at "
        f"{at}, {_multiple(figures['ratio'])} what {usual} ({figures['usual_count']:,}, "
        f"{_posts(figures['n'])}; 90 % interval {_multiple(figures['ratio_low'])} to "
        f"{_multiple(figures['ratio_high'])}; {figures['deviations']:.1f} robust deviations)."
    )


def _verdict(platform: str, figures: Figures) -> str:
    verdict = str(figures["verdict"]).replace("_", " ")
    told = f"Verdict on {figures['dimension']} {figures['segment']} on {platform}: {verdict}"
    if figures["effect"] is None:
        return f"{told} ({_posts(figures['n'])} against {figures['control_n']})."
    return (
        f"{told}; {times(figures['effect'])} the posts it took the place of (90 % "
        f"interval {times(figures['effect_low'])} to "
        f"{times(figures['effect_high'])}, {figures['n']} against "
        f"{_posts(figures['control_n'])})."
    )


def _experiment(platform: str, figures: Figures) -> str:
    """Its sentence is the reading's own, made of the same figures."""
    verdict = str(figures["verdict"]).replace("_", " ")
    told = f"Experiment {figures['experiment_id']} on {platform} has ended: {verdict}."
    told += f" {figures['because']}"
    if figures["recommendation_id"]:
        told += f" {figures['recommendation_id']} proposes the change."
    return told


def _waiting(_platform: str, figures: Figures) -> str:
    n = int(figures["n"])
    who = "1 recommendation waits" if n == 1 else f"{n} recommendations wait"
    return (
        f"{who} for a decision, the oldest for {figures['oldest_days']} days: afterpost review "
        f"--account {figures['account_name']}."
    )


def _scrape(platform: str, figures: Figures) -> str:
    misses = int(figures["miss_count"])
    runs = "The last scrape" if misses == 1 else f"The last {misses} scrapes"
    told = f"{runs} of {figures['handle']} on {platform} brought nothing to rely on: "
    told += f"{figures['outcome_words']}."
    seen = figures["last_seen_at"]
    told += f" Last seen {_day(seen)}." if seen else " Never seen yet."
    return f"{told} {figures['to_do']}" if figures["to_do"] else told


def _budget(_platform: str, figures: Figures) -> str:
    return (
        f"{_percent(figures['share'])} of the {figures['what']} is used: "
        f"${figures['spent_usd']:,.2f} of ${figures['budget_usd']:,.2f} until "
        f"{_day(figures['renews_at'])}."
    )


def _accuracy(_platform: str, figures: Figures) -> str:
    return (
        f"Predictions of {figures['target']} have become worse: {_percent(figures['late_share'])} "
        f"of {figures['late_n']} came within 25 % of the outcome (90 % interval "
        f"{_percent(figures['late_low'])} to {_percent(figures['late_high'])}), after "
        f"{_percent(figures['earlier_share'])} of {figures['earlier_n']}."
    )


def _failures(what: str) -> Callable[[str, Figures], str]:
    def words(_platform: str, figures: Figures) -> str:
        return (
            f"{figures['failed_n']} of {figures['n']} {what} of the last {figures['days']} days "
            f"failed: {_percent(figures['share'])} (90 % interval {_percent(figures['share_low'])} "
            f"to {_percent(figures['share_high'])}; {_percent(figures['threshold'])} are "
            "tolerated)."
        )

    return words


def _cost(_platform: str, figures: Figures) -> str:
    n = int(figures["dear_n"])
    return (
        f"{n} of {figures['n']} posts of the last {figures['days']} days cost more than "
        f"${figures['threshold_usd']:,.2f} to make; the dearest, {figures['planned_id']}, "
        f"${figures['highest_usd']:,.2f} (median ${figures['median_usd']:,.2f})."
    )


def _day(moment: Any) -> str:
    return day(datetime.fromisoformat(str(moment)))


_WORDS: dict[AlertKind, Callable[[str, Figures], str]] = {
    AlertKind.PERFORMANCE_DROP: _drop,
    AlertKind.LOW_ENGAGEMENT: _low_engagement,
    AlertKind.BREAKOUT: _breakout,
    AlertKind.VERDICT_CONCLUDED: _verdict,
    AlertKind.EXPERIMENT_CONCLUDED: _experiment,
    AlertKind.RECOMMENDATIONS_WAITING: _waiting,
    AlertKind.SCRAPE_FAILING: _scrape,
    AlertKind.BUDGET_NEAR: _budget,
    AlertKind.ACCURACY_DROP: _accuracy,
    AlertKind.POSTING_FAILURES: _failures("postings"),
    AlertKind.GENERATION_FAILURES: _failures("generations"),
    AlertKind.GENERATION_COST: _cost,
}

_OVER = {
    AlertKind.PERFORMANCE_DROP: "There is nothing left on {platform} to compare.",
    AlertKind.LOW_ENGAGEMENT: "There is nothing left on {platform} to compare.",
    AlertKind.BREAKOUT: "The breakout on {platform} is no news any more.",
    AlertKind.VERDICT_CONCLUDED: "The verdict is no news any more.",
    AlertKind.EXPERIMENT_CONCLUDED: "The end of the experiment is no news any more.",
    AlertKind.RECOMMENDATIONS_WAITING: "No recommendation has waited too long any more.",
    AlertKind.SCRAPE_FAILING: "Scrapes on {platform} can be relied on again.",
    AlertKind.BUDGET_NEAR: "The {what} has room again.",
    AlertKind.ACCURACY_DROP: "Predictions are as good as they were.",
    AlertKind.POSTING_FAILURES: "Postings fail no more often than is tolerated.",
    AlertKind.GENERATION_FAILURES: "Generations fail no more often than is tolerated.",
    AlertKind.GENERATION_COST: "No post of late was too dear to make.",
}
