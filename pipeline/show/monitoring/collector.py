"""The metrics, computed when they are asked for.

Nothing is counted in this process's memory: a run that ended yesterday, in another process, is as
present as one of this minute. A source that does not exist yet has no series; one that exists and
cannot be read has ``afterpost_source_up`` 0, and its other series are absent.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from importlib.metadata import version

import duckdb
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from pipeline.clock import utc_now
from pipeline.errors import AfterpostError, NothingPublishedError
from pipeline.settings import Settings
from pipeline.show.monitoring.disk import disk_samples
from pipeline.show.monitoring.published import published_samples
from pipeline.show.monitoring.runs import run_samples
from pipeline.show.monitoring.samples import Sample, families, sample
from pipeline.show.monitoring.state import state_samples

_LOG = logging.getLogger(__name__)
Reader = Callable[[Settings, datetime], Iterable[Sample] | None]

SOURCES: dict[str, Reader] = {
    "published": published_samples,
    "state": state_samples,
    "dagster": run_samples,
    "disk": disk_samples,
}


class AfterpostCollector(Collector):
    """What Prometheus' client asks at every scrape.

    Args:
        settings: Whose home.
        clock: The present moment; ages count to it.
    """

    def __init__(self, settings: Settings, clock: Callable[[], datetime] = utc_now) -> None:
        self._settings = settings
        self._clock = clock

    def collect(self) -> Iterator[Metric]:
        """All families that have a value now."""
        yield from families(collect_samples(self._settings, self._clock()))


def collect_samples(settings: Settings, now: datetime) -> list[Sample]:
    """All samples of one moment.

    Args:
        settings: Whose home.
        now: Ages count to it.
    """
    found = [*sample("info", 1, version("afterpost"))]
    for source, reader in SOURCES.items():
        try:
            samples = reader(settings, now)
            told = None if samples is None else list(samples)
        except NothingPublishedError:
            continue
        except (AfterpostError, OSError, duckdb.Error) as error:
            _LOG.warning("The metrics of %s cannot be read: %s", source, error)
            found += sample("source_up", 0, source)
            continue
        if told is not None:
            found += [*sample("source_up", 1, source), *told]
    return found
