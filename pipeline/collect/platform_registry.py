"""All platforms that can be scraped and imported: whatever stands under ``platforms/``."""

from importlib import import_module

from pipeline.accounts import Platform
from pipeline.collect.platform_interface import PlatformSource


def _source(platform: Platform) -> PlatformSource:
    source: PlatformSource = import_module(f"pipeline.collect.platforms.{platform.value}").SOURCE
    return source


SOURCES: dict[Platform, PlatformSource] = {platform: _source(platform) for platform in Platform}
"""Each platform file's ``SOURCE``."""
