"""Every metric that is exported: name, kind, meaning, labels.

The collector makes nothing that is not here, and the alert rules and the Grafana dashboard under
``ops/`` may name nothing else. Labels are bounded: accounts, platforms and words of fixed lists,
never a post, a caption or a hashtag.
"""

from dataclasses import dataclass
from enum import StrEnum

PREFIX = "afterpost_"


class Kind(StrEnum):
    """How Prometheus treats a metric."""

    GAUGE = "gauge"
    COUNTER = "counter"
    SUMMARY = "summary"


@dataclass(frozen=True)
class Entry:
    """One metric."""

    name: str
    """As it is exported; a counter's ends in ``_total``."""
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()

    @property
    def exported_names(self) -> tuple[str, ...]:
        """Names of the time series, as a query writes them."""
        if self.kind is Kind.SUMMARY:
            return (f"{self.name}_sum", f"{self.name}_count")
        return (self.name,)


_PROFILE = ("account", "platform")


def _gauge(name: str, text: str, labels: tuple[str, ...] = ()) -> Entry:
    return Entry(PREFIX + name, Kind.GAUGE, text, labels)


def _counter(name: str, text: str, labels: tuple[str, ...] = ()) -> Entry:
    return Entry(PREFIX + name, Kind.COUNTER, text, labels)


_ENTRIES = (
    _gauge("info", "1, with the program's version.", ("version",)),
    _gauge(
        "source_up",
        "Whether a source of these metrics could be read at this scrape: 1 yes, 0 no. A source "
        "that does not exist yet has no series.",
        ("source",),
    ),
    # The published copy.
    _gauge("published_info", "1, with the version of the published copy.", ("warehouse_version",)),
    _gauge("published_timestamp_seconds", "When the last wholly green build was published."),
    _gauge("published_as_of_timestamp_seconds", "The newest scrape that the copy knows."),
    _gauge("published_size_bytes", "Size of the published copy."),
    _counter("posts_ingested_total", "Posts that were ever seen.", _PROFILE),
    _counter("snapshots_total", "Observations of posts: one per post and scrape.", _PROFILE),
    _gauge("snapshot_age_seconds", "Time since the newest scrape of a profile.", _PROFILE),
    _gauge("followers", "Followers at the newest count.", _PROFILE),
    _gauge("views_7d_median", "Views of the middle post at 7 days of age.", _PROFILE),
    _gauge("views_7d_posts", "Posts whose views at 7 days are known.", _PROFILE),
    _gauge("engagement_7d_median", "Engagements of the middle post at 7 days of age.", _PROFILE),
    _gauge("engagement_7d_posts", "Posts whose engagements at 7 days are known.", _PROFILE),
    _gauge(
        "engagement_rate_median_ratio",
        "Engagements per view of the middle post at its latest snapshot, 0 to 1.",
        _PROFILE,
    ),
    _counter("rejected_items_total", "Scraped items that could not be used.", _PROFILE),
    _gauge(
        "segments",
        "Segments compared by views at 7 days, by what was found.",
        ("account", "platform", "verdict"),
    ),
    _gauge("verdicts", "Approved changes by what came of them.", ("account", "verdict")),
    # The state database.
    _counter("scrapes_total", "Runs of sources by what they said.", ("platform", "status")),
    _counter("scrape_cost_usd_total", "Known cost of scrapes.", _PROFILE),
    _gauge(
        "scrape_last_success_timestamp_seconds",
        "When the last run that could be relied on was started.",
        _PROFILE,
    ),
    _gauge("scrape_misses", "Runs in a row that gave nothing usable.", _PROFILE),
    _gauge("scrape_budget_usd", "What an account's scrapes may cost in its month.", ("account",)),
    _gauge(
        "scrape_budget_used_usd",
        "Spent of it, with what is held for runs whose cost is not known yet.",
        ("account",),
    ),
    _gauge("recommendations", "Recommendations by status.", ("account", "status")),
    _gauge(
        "recommendation_pending_oldest_timestamp_seconds",
        "When the oldest proposal was made that waits for a decision.",
        ("account",),
    ),
    _counter("decisions_total", "Decisions by kind.", ("account", "decision")),
    _counter("model_calls_total", "Questions to the language model.", ("purpose", "status")),
    _counter("model_tokens_total", "Tokens of the language model.", ("purpose", "direction")),
    _counter("model_cost_usd_total", "Known cost of the language model.", ("purpose",)),
    _gauge("alerts_open", "Alerts that are open.", ("severity",)),
    _gauge(
        "account_alerts_open",
        "Alerts of an account that are open.",
        ("account", "kind", "severity"),
    ),
    # Dagster's run storage.
    _counter("runs_total", "Runs of Dagster that were started.", ("job", "status")),
    Entry(
        PREFIX + "run_duration_seconds",
        Kind.SUMMARY,
        "Time that finished runs took.",
        ("job",),
    ),
    _gauge("run_last_success_timestamp_seconds", "When a job last succeeded.", ("job",)),
    _gauge("run_last_failed", "Whether the newest finished run of a job failed.", ("job",)),
    _gauge("checks", "Asset checks by how they ended last.", ("severity", "status")),
    _counter("check_failures_total", "Evaluations of asset checks that failed."),
    _gauge("schedules_running", "Schedules that are switched on."),
    _gauge("daemon_heartbeat_timestamp_seconds", "When a daemon last said it runs.", ("daemon",)),
    # The machine.
    _gauge("disk_free_bytes", "Free on the disk that holds the warehouse."),
    _gauge("warehouse_size_bytes", "Size of the warehouse's own file."),
    # What the generator says of its work, and how recommendations turned out; only where they do.
    _counter("generations_total", "What the generator made.", ("status", "provider")),
    Entry(
        PREFIX + "generation_cost_usd",
        Kind.SUMMARY,
        "Cost of what the generator made, where it reports one.",
        ("provider",),
    ),
    _counter("postings_total", "What was to be posted.", ("platform", "status")),
    _gauge(
        "verdict_accuracy_ratio",
        "Share of decided verdicts in which the approved change worked, 0 to 1.",
    ),
    _gauge("verdicts_decided", "Verdicts that the accuracy is a share of."),
    # What was predicted of posts whose outcome is known by now; only where there are any.
    _gauge(
        "predictions_scored",
        "Posts with a prediction whose outcome is known.",
        ("account", "platform", "target"),
    ),
    _gauge(
        "prediction_loss_ratio",
        "Pinball loss of predictions by that of the account's own quantiles; below 1 is better.",
        ("account", "platform", "target"),
    ),
    _gauge(
        "prediction_coverage_ratio",
        "Share of outcomes within the 80 % intervals, 0 to 1.",
        ("account", "platform", "target"),
    ),
    _gauge(
        "prediction_within_25_percent_ratio",
        "Share of expected values that were off by 25 % or less, 0 to 1.",
        ("account", "platform", "target"),
    ),
    # The same under the names and in the units of the first design.
    Entry(
        "video_generation_total",
        Kind.COUNTER,
        "As afterpost_generations_total.",
        ("status", "provider"),
    ),
    Entry(
        "video_generation_cost_avg",
        Kind.GAUGE,
        "Mean cost in USD; afterpost_generation_cost_usd has its sum and count.",
        ("provider",),
    ),
    Entry("posting_total", Kind.COUNTER, "As afterpost_postings_total.", ("platform", "status")),
    Entry(
        "reflexion_accuracy",
        Kind.GAUGE,
        "Share of predictions that were off by 25 % or less, in percent; until there are any, of "
        "approved changes that worked.",
    ),
)

CATALOGUE = {entry.name: entry for entry in _ENTRIES}
"""By name."""
