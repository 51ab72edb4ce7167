"""The platforms' names: whatever files stand under ``collect/platforms/``.

It imports nothing, so that the command line can offer one option per platform at once.
"""

from pathlib import Path

PLATFORMS_DIR = Path(__file__).parent / "collect" / "platforms"
"""One file per platform; the file's name is the platform's."""


def platform_names() -> list[str]:
    """Names of all platforms, sorted."""
    return sorted(path.stem for path in PLATFORMS_DIR.glob("*.py") if not path.stem.startswith("_"))
