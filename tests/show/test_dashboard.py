"""The dashboard's file: what it shows, what it may run, and how large it gets."""

import html
import json
import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.clients.warehouse import reading
from pipeline.settings import Settings
from pipeline.show.cli.main import main
from pipeline.show.dashboard import words
from pipeline.show.dashboard.embedding import json_for_script, script_hash, vega_runtime
from pipeline.show.dashboard.facts import gather
from pipeline.show.dashboard.page import page
from pipeline.show.dashboard.post_table import post_columns
from pipeline.show.dashboard.write import write_dashboard
from pipeline.show.reports.overview import profile_overviews
from pipeline.show.reports.posts import REASONS, post_figures
from pipeline.show.reports.segments import Focus, segment_tables
from tests.fakes.dashboard_copy import HOSTILE_TEXTS, OTHER_ACCOUNT, publish_dashboard_copy
from tests.fakes.published import ACCOUNT, add_account
from tests.show.published_copies import ACCOUNT as NIGHT_OWLS
from tests.show.published_copies import publish_night_owls


class _Page(HTMLParser):
    """Scripts and styles of a page with their attributes, and every address in it."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=False)
        self.parts: list[tuple[str, dict[str, str | None], str]] = []
        self.addresses: list[str] = []
        self.policy = ""
        self.handlers: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.handlers += [name for name in named if name.startswith("on") or name == "style"]
        self.addresses += [str(named[name]) for name in ("src", "href", "action") if name in named]
        if tag in {"script", "style"}:
            self.parts.append((tag, named, ""))
        if named.get("http-equiv") == "Content-Security-Policy":
            self.policy = html.unescape(str(named["content"]))

    def handle_data(self, data: str) -> None:
        if self.parts and self.cdata_elem:
            tag, named, text = self.parts[-1]
            self.parts[-1] = (tag, named, text + data)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return publish_dashboard_copy(tmp_path_factory.mktemp("dashboards"))


@pytest.fixture(scope="module")
def text(home: Settings) -> str:
    return write_dashboard(home, ACCOUNT).read_text(encoding="utf-8")


def _plain(text: str) -> str:
    """What a reader sees of the page, scripts and styles left out."""
    without = re.sub(r"<(script|style)\b.*?</\1>", " ", text, flags=re.DOTALL)
    words_only = re.sub(r"<[^>]*>", " ", without)
    return " ".join(html.unescape(words_only).replace("\xa0", " ").split())


def test_the_page_may_run_what_is_inlined_and_nothing_else(text: str):
    found = _Page(text)

    allowed = dict(part.split(" ", 1) for part in found.policy.split("; "))
    assert allowed["default-src"] == "'none'"
    assert "unsafe" not in found.policy
    inlined = {"script": "script-src", "style": "style-src"}
    for tag, attributes, code in found.parts:
        if attributes.get("type") != "application/json":
            assert script_hash(code) in allowed[inlined[tag]].split(), code[:80]
    assert len([one for one in found.parts if one[0] == "script"]) == 7
    assert [url for url in found.addresses if not url.startswith("#")] == []
    assert found.handlers == []
    assert text.count("vegaEmbed = vegaEmbed") + text.count("vegaEmbed=") == 1


def test_the_figures_are_those_of_the_readers(home: Settings, text: str):
    with reading(home) as connection:
        tiktok = profile_overviews(connection, ACCOUNT)[1]
        effects = segment_tables(connection, ACCOUNT, Focus.FORMATS)[0].rows

    shown = _plain(text)
    assert f"Views at 7 days, middle post {words.count(tiktok.views_7d_median)} " in shown
    assert f"{words.percent(tiktok.engagement_rate_median)} at the".replace("\xa0", " ") in shown
    for row in effects:
        if row.effect is not None:
            assert f"{words.times(row.effect)} {words.times(row.effect_low)}" in shown
    assert "step_guide posts get 1.60× the usual" in shown
    assert "90 % interval 1.33–1.92" in shown
    assert "Set the weight of step_guide from 1.0 to 1.4" in shown
    assert "+40 % +12 % to +75 %, 90 % interval; 28 against 30 posts" in shown


def test_what_is_missing_is_a_dash_with_its_reason(text: str):
    shown = _plain(text)

    assert "Followers – not told by any scrape" in shown
    assert "– needs 3 posts more" in shown
    assert "Engagement per view, middle post – needs published views" in shown
    assert "not enough data, needs 3 posts more" in shown
    assert "cannot tell yet, needs 9 posts more" in shown


def test_every_figure_says_its_table_its_n_and_when_it_was_scraped(text: str):
    sources = re.findall(r'<p class="source">(.*?)</p>', text, re.DOTALL)

    assert len(sources) > 12
    for source in sources:
        told = _plain(source)
        assert re.search(r"\b(marts|stats)\.\w+", told), told
        assert "scraped up to 2026-11-20 08:00 UTC" in told
        assert "at 7 days" in told or "same age" in told or "days of age" in told or (
            "as fixed" in told
        )  # fmt: skip
    with_n = [one for one in sources if re.search(r"\d+\s(post|change)", _plain(one))]
    assert len(with_n) >= len(sources) - 1  # the cards say theirs beside each figure


def test_the_reason_for_each_missing_number_is_told(home: Settings):
    with reading(home) as connection:
        posts = post_figures(connection)

    reasons = {
        (post.platform, name, getattr(post, f"{name}_missing"))
        for post in posts
        for name in ("view_count", "view_7d", "engagement_7d", "engagement_rate", "score")
        if getattr(post, f"{name}_missing")
    }
    assert reasons == {
        ("instagram", "view_count", "not_published"),
        ("instagram", "view_7d", "not_published"),
        ("instagram", "engagement_7d", "too_young"),
        ("instagram", "engagement_rate", "no_views"),
        ("instagram", "score", "not_compared"),
        ("tiktok", "view_7d", "too_young"),
        ("tiktok", "engagement_7d", "too_young"),
        ("tiktok", "engagement_7d", "not_seen_at_7d"),
        ("tiktok", "view_7d", "not_seen_at_7d"),
        ("instagram", "engagement_7d", "not_seen_at_7d"),
        ("tiktok", "score", "not_compared"),
    }
    assert {reason for _, _, reason in reasons} <= set(REASONS)
    for post in posts:
        for name in ("view_count", "view_7d", "engagement_7d", "engagement_rate", "score"):
            is_missing = getattr(post, name) is None
            assert is_missing == (getattr(post, f"{name}_missing") is not None)


def test_posts_are_kept_small_and_whole(home: Settings):
    with reading(home) as connection:
        posts = post_figures(connection, ACCOUNT)

    data = post_columns(posts)
    columns = data["columns"]
    assert {len(column) for column in columns.values()} == {data["n"]} == {len(posts)}
    assert columns["id"] == [post.post_id for post in posts]
    for row, post in enumerate(posts):
        head, tail = columns["address"][row], columns["tail"][row]
        whole = None if head < 0 else data["addresses"][head] + (tail or post.post_id)
        is_web = (post.post_url or "").startswith("https://")
        assert whole == (post.post_url if is_web else None)
        views = columns["views"][row]
        if post.view_count is None:
            assert data["reasons"][views] == "not published by the platform"
        else:
            assert views == post.view_count
    assert len(data["addresses"]) <= 2


@pytest.mark.parametrize(
    ("url", "is_linked"),
    [
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("https://[", False),
        ("//evil.example/x", False),
        ("http://example.com/1", True),
    ],
)
def test_only_web_addresses_become_links(home: Settings, url: str, is_linked: bool):
    with reading(home) as connection:
        post = post_figures(connection, most=1)[0]

    data = post_columns([replace(post, post_url=url)])
    assert (data["columns"]["address"][0] >= 0) is is_linked


@given(st.recursive(st.text() | st.integers() | st.none(), st.lists))
def test_data_in_a_script_cannot_end_it_and_comes_out_as_it_was(value: object):
    text = json_for_script(value)

    assert not re.search("[<>&\u2028\u2029]", text)
    assert text.encode("utf-8")
    if "\ufffd" not in text:
        assert json.loads(text) == value


def test_a_page_of_5000_long_captions_of_any_script_stays_small(tmp_path: Path):
    settings = publish_dashboard_copy(tmp_path, 6247, words=20)
    facts = gather(settings, ACCOUNT, None)
    runtime = vega_runtime(settings.warehouse_dir)

    assert facts.post_count == len(facts.posts) == 5000
    assert len(page(settings, facts, runtime).encode("utf-8")) < 3_000_000
    wide = [replace(post, text="早く寝る方法を教えます。" * 20) for post in facts.posts]
    assert len(page(settings, replace(facts, posts=wide), runtime).encode("utf-8")) < 3_000_000


def test_a_period_leaves_out_older_posts_and_says_so(home: Settings, tmp_path: Path):
    week = gather(home, ACCOUNT, 7)

    assert {post.local_date >= date(2026, 11, 13) for post in week.posts if post.local_date} == {
        True
    }
    assert 0 < week.post_count < gather(home, ACCOUNT, 90).post_count
    shown = _plain(page(home, week, "void 0;"))
    assert f"{week.post_count} posts of the last 7 days" in shown


def test_the_page_of_all_accounts_names_each(home: Settings):
    shown = _plain(write_dashboard(home, None).read_text(encoding="utf-8"))

    assert "How do the accounts stand?" in shown
    assert f"{OTHER_ACCOUNT} TikTok" in shown
    assert "holds in all accounts 1.30× 1.10× 1.60×" in shown


def test_an_account_without_any_post_has_a_page_too(home: Settings):
    add_account(home, name="newborn")

    shown = _plain(write_dashboard(home, "newborn", days=7).read_text(encoding="utf-8"))

    assert "0 posts of the last 7 days" in shown
    assert "Nothing stands out from chance yet." in shown


def test_an_account_may_be_called_all(tmp_path: Path):
    settings = publish_dashboard_copy(tmp_path, 20)
    add_account(settings, name="all")

    assert write_dashboard(settings, "all") != write_dashboard(settings, None)


def test_a_copy_with_few_tables_filled_is_enough(tmp_path: Path):
    settings = publish_night_owls(tmp_path)

    shown = _plain(write_dashboard(settings, NIGHT_OWLS).read_text(encoding="utf-8"))

    assert "step_guide posts get 1.62× the usual views at 7 days" in shown
    assert "No post has both a pillar and a format yet." in shown


def test_the_command_says_where_the_file_is(
    home: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("AFTERPOST_HOME", str(home.home))

    assert main(["dashboard", "--account", ACCOUNT, "--days", "30", "--json"]) == 0

    told = json.loads(capsys.readouterr().out)
    path = Path(told["path"])
    assert path == home.warehouse_dir / "dashboards" / f"{ACCOUNT}.html"
    assert path.read_bytes().startswith(b"<!doctype html>")
    assert HOSTILE_TEXTS[0] not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "exit_code", "sentence"),
    [
        ([], 2, "--account NAME, or --all"),
        (["--all", "--account", ACCOUNT], 2, "--account NAME, or --all"),
        (["--all", "--days", "8"], 2, "7, 30 or 90"),
        (["--account", "nobody"], 1, "no account 'nobody'"),
    ],
)
def test_what_cannot_be_written_is_one_sentence(
    home: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    exit_code: int,
    sentence: str,
):
    monkeypatch.setenv("AFTERPOST_HOME", str(home.home))

    assert main(["dashboard", *arguments]) == exit_code
    assert sentence in capsys.readouterr().err


def test_nothing_published_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    add_account(Settings(home=tmp_path))
    monkeypatch.setenv("AFTERPOST_HOME", str(tmp_path))

    assert main(["dashboard", "--account", ACCOUNT]) == 1
    assert "afterpost build" in capsys.readouterr().err
