"""Landed answers whose rows broke their source's contract."""

from pipeline.collect.drift import find_drift
from pipeline.collect.jsontext import parse_json
from pipeline.collect.landing import Manifest, Outcome, read_lines
from pipeline.collect.platform_interface import NO_CONTRACT, KeyContract
from pipeline.collect.platform_registry import SOURCES
from pipeline.settings import Settings


def is_drifted(settings: Settings, manifest: Manifest) -> bool:
    """Whether an answer must not be loaded: it broke the contract, and still breaks today's.

    A program that has learned the new shape takes it in, so that a rebuild loses nothing.

    Raises:
        LandingError: The rows are missing or damaged.
    """
    if manifest.outcome is not Outcome.SCHEMA_DRIFT:
        return False
    rows = [parse_json(line) for line in read_lines(settings, manifest)]
    return find_drift(rows, _contract(manifest)).is_breaking


def _contract(manifest: Manifest) -> KeyContract:
    source = SOURCES[manifest.platform]
    for actor in source.actors:
        if (actor.actor_id, actor.kind.value) == (manifest.actor_id, manifest.source_kind.value):
            return actor.contract
    direct = source.direct
    is_direct = direct is not None and direct.actor_id == manifest.actor_id
    return direct.contract if direct is not None and is_direct else NO_CONTRACT
