"""Homes with a small simulated history, landed but not loaded."""

from pathlib import Path

from pydantic import SecretStr

from pipeline.accounts import load_account
from pipeline.collect.imports import import_file
from pipeline.settings import Settings
from pipeline.simulate.account_files import copy_accounts
from pipeline.simulate.exports import write_exports
from pipeline.simulate.planned import write_planned
from pipeline.simulate.world import World, build_world


def landed_home(home: Path, world: World | None = None, every: int = 4) -> Settings:
    """A home whose landing folder holds every n-th export of each profile of the demo world."""
    settings = Settings(home=home, apify_token=SecretStr("test"), lock_timeout_s=60)
    world = world or build_world()
    copy_accounts(settings.accounts_dir)
    write_planned(world, settings.accounts_dir)
    exports = write_exports(world, home / "exports")
    for export in exports[::every]:
        account = load_account(settings.accounts_dir, export.account_name)
        import_file(settings, account, export.path, platform=export.platform)
    return settings
