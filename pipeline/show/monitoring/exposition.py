"""The metrics as Prometheus reads them, and as JSON."""

from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder, generate_latest

from pipeline.clock import utc_now
from pipeline.settings import Settings
from pipeline.show.monitoring.catalogue import CATALOGUE
from pipeline.show.monitoring.collector import AfterpostCollector, collect_samples


def metrics_text(settings: Settings, accept: str = "") -> tuple[bytes, str]:
    """The metrics of this moment in the format that the reader prefers.

    Args:
        settings: Whose home.
        accept: The reader's ``Accept`` header; the plain text format when left out.

    Returns:
        The text, and its media type.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(AfterpostCollector(settings))
    encode, media_type = choose_encoder(accept)
    return encode(registry), media_type


def plain_text(settings: Settings) -> str:
    """The metrics of this moment in the plain text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(AfterpostCollector(settings))
    return generate_latest(registry).decode("utf-8")


def metrics_figures(settings: Settings, now: datetime | None = None) -> list[dict[str, Any]]:
    """The metrics as JSON has them: one entry per metric with its samples.

    Args:
        settings: Whose home.
        now: Ages count to it; the present when left out.
    """
    found: dict[str, dict[str, Any]] = {}
    for one in collect_samples(settings, now or utc_now()):
        entry = CATALOGUE[one.name]
        figures = found.setdefault(
            one.name,
            {"name": entry.name, "kind": entry.kind.value, "help": entry.help, "samples": []},
        )
        value = {"sum": one.value, "count": one.count} if one.count is not None else one.value
        labels = dict(zip(entry.labels, one.labels, strict=True))
        figures["samples"].append({"labels": labels, "value": value})
    return [found[name] for name in CATALOGUE if name in found]
