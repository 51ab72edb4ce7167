"""What a fault is made of, and all that must come of it: the words of the tables beside this file.

Each scenario has an account of its own. It is scraped in fair weather (``GOOD``), meets its fault a
day later (``FAULT``), and where that tells something it is scraped once more (``NEXT``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.accounts import Platform
from pipeline.collect.outcomes import RunOutcome
from pipeline.collect.platform_interface import ActorKind
from pipeline.errors import Retry
from pipeline.simulate.apify_server import ApiReply, ApiRequest
from tests.collect.samples import tiktok_row
from tests.faults.bench import Proceed

Row = dict[str, Any]

GOOD, FAULT, NEXT = "good", "fault", "next"
COST_USD = "0.0105"
"""Of every run whose cost is told."""


def fair_rows() -> tuple[Row, ...]:
    """What the profile shows in fair weather: three posts of 900 views each."""
    return tuple(tiktok_row(number) for number in range(3))


def rows(count: int = 4, views: int = 1000, **changes: Any) -> tuple[Row, ...]:
    """What it shows a day later: the fourth post is new."""
    return tuple(tiktok_row(number, playCount=views, **changes) for number in range(count))


@dataclass(frozen=True)
class Break:
    """Requests of one kind that are not answered as they should be."""

    where: Callable[[ApiRequest], bool]
    reply: ApiReply | Callable[[ApiRequest, Proceed], ApiReply]
    times: int | None = None
    """How many of them, the first ones; None: all."""
    is_carried_out: bool = False
    """Whether the request takes effect all the same."""
    hangs: bool = False
    """Whether the reply only comes when nobody waits for it any more."""


@dataclass(frozen=True)
class Message:
    """Words of the sentence that a person reads; ``{run}`` and the like stand for the real ones."""

    what: str
    where: str = "{account} on {platform}"
    what_to_do: str | None = None
    """None where nothing is to be done."""


@dataclass(frozen=True)
class Landed:
    """Rows of the fault's own scrape, by what they are."""

    post: int = 0
    foreign_post: int = 0
    profile: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)
    """Number of rows by reason."""
    outcome: str = "items"
    """What the answer holds, by its manifest."""
    is_loaded: bool = True
    """Rows of another shape are kept and not loaded."""

    @property
    def row_count(self) -> int:
        """All rows of the answer."""
        return self.post + self.foreign_post + self.profile + sum(self.rejected.values())


@dataclass(frozen=True)
class Marts:
    """What the marts hold of the account in the end."""

    snapshots: tuple[tuple[str, int, int | None], ...]
    """Scrape by whose run they were observed, posts, and most views."""
    posts: int
    """Posts of the account."""
    listing: str | None
    """The newest scrape by which posts are missed; None: no such scrape, no listing."""
    states: Mapping[str, int] = field(default_factory=lambda: {"listed": 3})
    """Posts by where they stand towards that listing."""
    profiles: tuple[str, ...] | None = None
    """Scrapes that told of the profile; as the snapshots when left out."""
    zeros: int = 0
    """Counts of 0 among all snapshots: an invented one would be here."""
    nulls: int = 0
    """Unknown counts of views, likes, comments, shares and saves among all snapshots."""
    drops: int = 0
    """Snapshots of which a count is lower than before."""


AS_BEFORE = Marts(((GOOD, 3, 900),), 3, GOOD)
"""The fault left nothing behind."""
WHOLE = Marts(((GOOD, 3, 900), (FAULT, 4, 1000)), 4, FAULT, {"listed": 4})
"""The fault's run gave all it had to give, at once or to the next scrape."""
ONLY_NEXT = Marts(((GOOD, 3, 900), (NEXT, 4, 1100)), 4, NEXT, {"listed": 4})
"""The fault left nothing behind, and the next scrape paid for a run of its own."""
PART = Marts(((GOOD, 3, 900), (FAULT, 2, 1000)), 3, GOOD)
"""Two posts were observed, and no post counts as missed by it."""
PART_AND_NEXT = Marts((*PART.snapshots, (NEXT, 4, 1100)), 4, NEXT, {"listed": 4})
NOTHING = Marts((), 0, None, {})


@dataclass(frozen=True)
class Next:
    """The scrape after the fault, in fair weather unless something is broken again."""

    outcome: RunOutcome = RunOutcome.NEW_POSTS
    new_posts: int | None = 1
    starts: int = 1
    """0: it takes up the run that was paid for."""
    scrapes: int = 1
    """Answers that it lands: that of a run that was left behind, and that of its own."""
    ledger: tuple[str, ...] = ()
    """Outcomes of all runs of the account in the end, first one first; all are over."""
    rows: tuple[Row, ...] = field(default_factory=lambda: rows(views=1100))
    breaks: tuple[Break, ...] = ()
    unsaid: str = "Traceback"
    """What its message no longer says."""


@dataclass(frozen=True)
class Scenario:
    """One fault and what must come of it."""

    name: str
    """The account's name too."""
    outcome: RunOutcome
    message: Message
    marts: Marts
    retry: Retry | None = None
    """Of the error that was raised; None: no error."""
    stops_others: bool = False
    """Whether every other account would hear the same."""
    landed: Landed | None = None
    """None: nothing."""
    new_posts: int | None = None
    """Of the fault's run, by the ledger; None where its rows were not taken."""
    rows: tuple[Any, ...] = field(default_factory=rows)
    """What the fault's run finds."""
    run: Mapping[str, Any] = field(default_factory=dict)
    """How it ends otherwise than with success, as fields of the server's answer."""
    breaks: tuple[Break, ...] = ()
    deadline_s: float = 8.0
    most_s: float | None = None
    """Longest that the scrape may take, in seconds."""
    starts: int = 1
    """Runs that were begun, and so paid for."""
    asked: int = 1
    """Starts that were asked for: never more than one."""
    is_open: bool = False
    """Whether the ledger waits for the run: the next scrape takes it up."""
    is_aborted: bool = False
    cost_usd: str | None = COST_USD
    """By the ledger; None: not known."""
    hours_ago: float = 0.0
    """How long ago the fault was when the next scrape comes."""
    url: str | None = None
    """Where Apify is looked for, if not where it is."""
    next: Next | None = None
    good_rows: tuple[Row, ...] = field(default_factory=fair_rows)
    """What the profile showed a day before; empty: it was not scraped."""
    platform: Platform = Platform.TIKTOK
    kind: ActorKind = ActorKind.POSTS
    handle_form: str = "{}"
    """How the platform writes a profile's name."""

    @property
    def ledger(self) -> tuple[str, ...]:
        """Outcomes of all runs of the account in the end."""
        if self.next:
            return self.next.ledger
        fair = "new_posts" if self.kind is ActorKind.POSTS else "no_new_posts"
        return (*([fair] if self.good_rows else []), self.outcome.value)
