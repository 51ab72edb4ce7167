"""All platforms that can be scraped and imported."""

from pipeline.accounts import Platform
from pipeline.collect.platforms.instagram import Instagram
from pipeline.collect.platforms.interface import PlatformSource
from pipeline.collect.platforms.tiktok import TikTok

SOURCES: dict[Platform, PlatformSource] = {
    Platform.TIKTOK: TikTok(),
    Platform.INSTAGRAM: Instagram(),
}
