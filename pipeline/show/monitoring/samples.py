"""One value of one metric, and how samples become families of Prometheus' client."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    Metric,
    SummaryMetricFamily,
)

from pipeline.show.monitoring.catalogue import CATALOGUE, PREFIX, Entry, Kind


@dataclass(frozen=True)
class Sample:
    """One value; a summary's is its sum, with ``count`` beside it."""

    name: str
    value: float
    labels: tuple[str, ...] = ()
    count: int | None = None


def sample(name: str, value: float | datetime | None, *labels: str | None) -> Iterator[Sample]:
    """A sample of ``afterpost_<name>``, or none where the value is not known.

    Moments become seconds since 1970; a label that is not known is ``unknown``.
    """
    if value is None:
        return
    number = value.timestamp() if isinstance(value, datetime) else float(value)
    yield Sample(PREFIX + name, number, tuple(label or "unknown" for label in labels))


def families(samples: Iterable[Sample]) -> Iterator[Metric]:
    """Samples by metric, in the catalogue's order; metrics without samples are left out.

    Raises:
        KeyError: A sample's metric is not in the catalogue.
    """
    by_name: dict[str, list[Sample]] = {}
    for one in samples:
        by_name.setdefault(CATALOGUE[one.name].name, []).append(one)
    for name, entry in CATALOGUE.items():
        if name in by_name:
            yield _family(entry, by_name[name])


def _family(entry: Entry, samples: Sequence[Sample]) -> Metric:
    labels = list(entry.labels)
    if entry.kind is Kind.SUMMARY:
        summary = SummaryMetricFamily(entry.name, entry.help, labels=labels)
        for one in samples:
            summary.add_metric(list(one.labels), one.count or 0, one.value)
        return summary
    family: Any = (
        CounterMetricFamily(entry.name, entry.help, labels=labels)
        if entry.kind is Kind.COUNTER
        else GaugeMetricFamily(entry.name, entry.help, labels=labels)
    )
    for one in samples:
        family.add_metric(list(one.labels), one.value)
    return family  # type: ignore[no-any-return]
