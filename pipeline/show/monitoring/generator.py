"""Metrics of what the generator says about its work, under the names of the first design too.

Only where it says something: a generator that reports nothing has no series, and no zeros.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from pipeline.accounts import AccountConfig
from pipeline.settings import Settings
from pipeline.show.alerts.generator_reports import GeneratorReport, read_reports
from pipeline.show.monitoring.catalogue import PREFIX
from pipeline.show.monitoring.samples import Sample

_EVER = 36_500
_MOST_PROVIDERS = 20
_OTHER = "other"
"""Providers beyond the twenty with the most reports: their names are the generator's to choose."""


def generator_samples(
    settings: Settings, accounts: Sequence[AccountConfig], now: datetime
) -> Iterator[Sample]:
    """Counts of all that was ever reported, and its cost."""
    reports = [
        report
        for account in accounts
        for report in read_reports(settings, account, now, days=_EVER)
    ]
    names = Counter(report.generation_provider for report in reports)
    kept = {name for name, _ in names.most_common(_MOST_PROVIDERS)}

    def provider(report: GeneratorReport) -> str:
        name = report.generation_provider
        return "unknown" if name is None else name if name in kept else _OTHER

    made = Counter(
        ("completed" if report.is_generated else "failed", provider(report))
        for report in reports
        if report.is_generated is not None
    )
    for who in sorted({who for _, who in made}):
        for status in ("completed", "failed"):
            yield from _twice("video_generation_total", "generations_total", made, (status, who))
    costs: dict[str, list[float]] = {}
    for report in reports:
        if report.generation_cost_usd is not None:
            costs.setdefault(provider(report), []).append(report.generation_cost_usd)
    for who, amounts in sorted(costs.items()):
        yield Sample("video_generation_cost_avg", sum(amounts) / len(amounts), (who,))
        yield Sample("afterpost_generation_cost_usd", sum(amounts), (who,), len(amounts))
    posted = Counter(
        (report.platform or "unknown", "posted" if report.is_posted else "failed")
        for report in reports
        if report.is_posted is not None
    )
    for platform in sorted({platform for platform, _ in posted}):
        for status in ("posted", "failed"):
            yield from _twice("posting_total", "postings_total", posted, (platform, status))


def _twice(
    former: str, name: str, counts: Mapping[tuple[str, str], int], labels: tuple[str, str]
) -> Iterator[Sample]:
    """A count under the first design's name, and under ours."""
    yield Sample(former, counts.get(labels, 0), labels)
    yield Sample(PREFIX + name, counts.get(labels, 0), labels)
