"""The dashboard's panels in a page: the same charts from the same specifications."""

import json
import threading
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline.clients.warehouse import published_version
from pipeline.settings import Settings
from pipeline.show.charts.pictures import page_spec_of
from pipeline.show.charts.style import CONFIG
from pipeline.show.dashboard import words
from pipeline.show.dashboard.embedding import well_formed
from pipeline.show.dashboard.facts import gather
from pipeline.show.dashboard.page import panels
from pipeline.show.dashboard.panels import Panel, Variant

if TYPE_CHECKING:
    import altair as alt

CHART_CONFIG = json.dumps(dict(CONFIG), separators=(",", ":"))
"""How all charts look, for the browser."""


MOST_ACCOUNTS = 40
"""Panels of so many accounts are kept; those that were asked for longest ago go first."""


@dataclass(frozen=True)
class ShownVariant:
    """A cut of a panel with its chart as text."""

    variant: Variant
    spec: str | None

    @classmethod
    def of(cls, variant: Variant) -> "ShownVariant":
        """From the dashboard's."""
        spec = variant.spec()
        # The chart itself is of no more use and larger than its text.
        return cls(replace(variant, chart=None), None if spec is None else spec_text(spec))


@dataclass(frozen=True)
class ShownPanel:
    """A question with its answers."""

    panel: Panel
    variants: tuple[ShownVariant, ...]

    def about(self, platform: str | None) -> "ShownPanel":
        """With what is about a platform only, where the panel tells platforms apart."""
        if platform is None:
            return self
        name = words.platform(platform)
        own = tuple(one for one in self.variants if one.variant.label.split(":")[0].strip() == name)
        return ShownPanel(self.panel, own) if own else self


def spec_text(spec: Mapping[str, object]) -> str:
    """A specification as JSON for an attribute, which escapes it."""
    return well_formed(json.dumps(spec, ensure_ascii=False, separators=(",", ":")))


def page_spec(chart: "alt.TopLevelMixin") -> str:
    """A chart that takes the width of its place; its title stands in the page."""
    return spec_text(page_spec_of(chart))


class KeptPanels:
    """The panels of accounts, made once for each published version."""

    def __init__(self, settings: Settings) -> None:
        """Keep nothing yet.

        Args:
            settings: Whose copy.
        """
        self._settings = settings
        self._lock = threading.Lock()
        self._version = ""
        self._kept: OrderedDict[str | None, Future[dict[str, ShownPanel]]] = OrderedDict()

    def of(self, account: str | None) -> Mapping[str, ShownPanel]:
        """An account's panels by their keys; of all accounts for None.

        Of many who ask the same at once, one makes it.

        Raises:
            NothingPublishedError: No build has been green yet.
        """
        version = published_version(self._settings)
        with self._lock:
            if version != self._version:
                self._version = version
                self._kept.clear()
            found = self._kept.get(account)
            is_mine = found is None
            if found is None:
                found = self._kept[account] = Future()
                while len(self._kept) > MOST_ACCOUNTS:
                    self._kept.popitem(last=False)
            else:
                self._kept.move_to_end(account)
        if is_mine:
            try:
                found.set_result(self._made(account))
            except BaseException as error:
                with self._lock:
                    if self._kept.get(account) is found:
                        del self._kept[account]
                found.set_exception(error)
        return found.result()

    def _made(self, account: str | None) -> dict[str, ShownPanel]:
        return {
            panel.key: ShownPanel(panel, tuple(map(ShownVariant.of, panel.variants)))
            for panel in panels(gather(self._settings, account, None))
        }
