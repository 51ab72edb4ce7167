"""Homes with a little of everything that a mirror holds, made without a build."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline.accounts import Platform
from pipeline.clients.warehouse import publish, writing
from pipeline.collect.home_mirror import MirrorReport, planned_mirror
from pipeline.collect.home_restore import planned_restore
from pipeline.collect.landing import Answer, ScrapedAtSource, Source, SourceKind, land, weigh
from pipeline.settings import Settings, StorageTier
from tests.collect.samples import make_account, tiktok_row
from tests.fakes.filled_state import fill_state

FIRST_SCRAPE = datetime(2026, 10, 1, 8, tzinfo=UTC)
SECRET = "planted-0f9e8d7c-secret"


def small_home(home: Path, storage_url: str, scrapes: int = 3) -> Settings:
    """A home with scrapes of as many days, an account with a plan, state, a model and a mart."""
    settings = Settings(home=home, storage=StorageTier.HYBRID, storage_url=storage_url)
    make_account(settings)
    account = settings.accounts_dir / "lullabies"
    plan = account / "output" / "2026-10-02 Ünïcode & Co. #1?"
    plan.mkdir(parents=True)
    (plan / "meta.json").write_text('{"topic": "sleep"}')
    (account / "performance_context.json").write_text("{}")
    (account / ".env").write_text(f"APIFY_TOKEN={SECRET}")
    (home / ".env").write_text(f"APIFY_TOKEN={SECRET}")
    for day in range(scrapes):
        scrape(settings, day)
    fill_state(settings)
    model = settings.warehouse_dir / "models" / "0123abcd.model"
    model.parent.mkdir()
    model.write_bytes(b"a fitted model")
    publish_mart(settings, 1)
    return settings


def scrape(settings: Settings, day: int) -> None:
    """Land one day's answer."""
    rows = [tiktok_row(number, playCount=900 + day) for number in range(3)]
    land(
        settings,
        weigh(
            Answer(
                platform=Platform.TIKTOK,
                account_name="lullabies",
                handle="quietnights",
                source=Source.APIFY,
                source_kind=SourceKind.POSTS,
                rows=rows,
                scraped_at=FIRST_SCRAPE + timedelta(days=day),
                scraped_at_source=ScrapedAtSource.RUN,
            )
        ),
    )


def publish_mart(settings: Settings, value: int) -> None:
    """Publish a copy with one mart of one row."""
    with writing(settings, "test") as connection:
        connection.execute(f"create or replace table marts.dim_post as select {value} as n")
    publish(settings, f"v{value}")


def mirrored(settings: Settings, *, accepts_losses: bool = False) -> MirrorReport:
    """Mirror a home once."""
    with planned_mirror(settings, accepts_losses=accepts_losses) as plan:
        return plan.carry_out()


def restored(settings: Settings, home: Path, generation_name: str | None = None) -> Settings:
    """Restore a home's mirror into another folder, without a rebuild."""
    from pipeline.clients.mirror_store import open_mirror

    target = settings.model_copy(update={"home": home})
    with planned_restore(
        target, open_mirror(target), generation_name=generation_name
    ) as plan:  # fmt: skip
        plan.carry_out()
    return target


def contents(settings: Settings) -> dict[str, bytes]:
    """What a restored home must have like the first: every file but the databases."""
    return {
        path.relative_to(settings.home).as_posix(): path.read_bytes()
        for root in (
            settings.accounts_dir, settings.landing_dir, settings.warehouse_dir / "models"
        )
        for path in root.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }  # fmt: skip
