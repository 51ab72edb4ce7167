"""A further platform is one Python file, one staging folder and rows of one seed: nothing else."""

import json
import os
import subprocess
import sys
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

REPOSITORY = Path(__file__).parents[2]

PLATFORM = '''"""Murmur rows: short voice notes."""

from pipeline.accounts import Platform
from pipeline.collect.platform_interface import (
    Actor, ActorInput, ActorKind, Classified, ItemKind, KeyContract, PostFacts, key_names,
    whole_numbers,
)
from pipeline.collect.platform_rows import (
    count_of, error_reason, handle_of, outcome_of_errors, read_id, read_time, settle_id, text_of,
)


class NotesInput(ActorInput):
    speaker: str
    max_notes: int


class Murmur:
    platform = Platform("murmur")
    actors = (
        Actor(
            ActorKind.POSTS,
            "toys/murmur-scraper",
            lambda handle, limit: NotesInput(speaker=handle, max_notes=limit).as_json(),
            KeyContract(key_names("noteId"), key_names("noteId hears"), whole_numbers("hears")),
        ),
    )
    direct = None

    def classify(self, item, handle, is_any_author):
        reading = settle_id(read_id(item.get("noteId")), None)
        problem = error_reason(item) or reading.problem
        if problem:
            return Classified(ItemKind.REJECTED, reason=problem)
        is_own = is_any_author or handle_of(item.get("speaker")) == handle_of(handle)
        kind = ItemKind.POST if is_own else ItemKind.FOREIGN_POST
        return Classified(kind, reading.post_id, None if is_own else "of another speaker")

    def facts(self, payload):
        return PostFacts(
            read_id(payload.get("noteId")).post_id,
            handle_of(payload.get("speaker")),
            read_time(payload.get("saidAt")),
            text_of(payload.get("words")),
        )

    def outcome_of(self, rows, handle, status_message):
        return outcome_of_errors(rows, ())

    def follower_count(self, payload):
        return count_of(payload.get("listeners"))

    def recognises(self, item):
        return "noteId" in item


SOURCE = Murmur()
'''

POSTS = """-- Grain: one row per note of a Murmur scrape. Rename and cast only.
select
    scrape_id, item_index, item_kind, account_name, platform, post_id,
    cast(null as varchar) as author_id,
    lower({{ payload_text('$.speaker') }}) as author_handle,
    {{ payload_text('$.words') }} as caption,
    cast(null as varchar) as post_url,
    'video' as media_type,
    cast(null as integer) as slide_count,
    {{ payload_seconds('$.lasts') }} as duration_s,
    cast(null as boolean) as is_pinned,
    cast(null as boolean) as is_ad,
    cast(null as varchar) as audio_id,
    {{ payload_count('$.hears') }} as view_count,
    cast(null as bigint) as video_view_count,
    {{ payload_count('$.nods') }} as like_count,
    {{ payload_count('$.answers') }} as comment_count,
    {{ payload_count('$.whispers') }} as share_count,
    cast(null as bigint) as save_count,
    cast(null as bigint) as repost_count,
    false as is_like_count_hidden,
    {{ payload_count('$.listeners') }} as follower_count,
    {{ payload_instant('$.saidAt') }} as posted_at,
    scraped_at
from {{ source('raw', 'scrape_items') }}
where platform = 'murmur' and item_kind in ('post', 'foreign_post')
"""

PROFILES = """-- Grain: one row per note of a Murmur scrape. Rename and cast only.
select
    scrape_id, item_index, account_name, platform,
    lower({{ payload_text('$.speaker') }}) as handle,
    cast(null as varchar) as profile_id,
    {{ payload_count('$.listeners') }} as follower_count,
    cast(null as bigint) as following_count,
    cast(null as bigint) as post_count,
    cast(null as bigint) as like_count_total,
    cast(null as boolean) as is_verified,
    cast(null as boolean) as is_private,
    scraped_at
from {{ source('raw', 'scrape_items') }}
where platform = 'murmur' and item_kind = 'post'
"""

SEED = """murmur,video,view_count,2005-01-01,9999-12-31,murmur_hears,exact
murmur,video,like_count,2005-01-01,9999-12-31,murmur_nods,exact
murmur,video,comment_count,2005-01-01,9999-12-31,murmur_answers,exact
"""

NOTES = [
    {"noteId": "12345678901234567890", "speaker": "Quiet", "words": "shh", "hears": 900,
     "nods": "40", "answers": 0, "whispers": 7, "lasts": 12, "listeners": 55,
     "saidAt": "2026-09-01T08:00:00Z"},
    {"noteId": "2", "speaker": "quiet", "hears": 10, "saidAt": "2026-09-02T08:00:00Z"},
    {"noteId": "3", "speaker": "loud", "hears": 99, "saidAt": "2026-09-02T08:00:00Z"},
    {"error": "tape torn"},
]  # fmt: skip

PROGRAM = """
import io, json, sys
from contextlib import redirect_stderr, redirect_stdout
from pipeline.clients.warehouse import writing
from pipeline.measure.build import build_models
from pipeline.settings import load_settings
from pipeline.show.cli.main import run

def told(*arguments):
    sys.argv[1:] = arguments
    out = io.StringIO()
    try:
        with redirect_stdout(out), redirect_stderr(out):
            run()
    except SystemExit as end:
        assert not end.code, out.getvalue()
    return out.getvalue()

[export] = sys.argv[1:]
said = {
    "help": told("accounts", "add", "--help"),
    "add": told("accounts", "add", "toy", "--murmur", "@quiet", "--profile", "x=quiet"),
    "import": told("import", export, "--account", "toy"),
}
settings = load_settings()
build_models(settings)
with writing(settings, "read") as connection:
    rows = connection.execute(
        "select post_id, view_count, like_count, comment_count, share_count, save_count "
        "from marts.fct_snapshot where platform = 'murmur' order by view_count desc"
    ).fetchall()
    [followers] = connection.execute(
        "select follower_count from marts.dim_profile where platform = 'murmur'"
    ).fetchone()
    [rejected] = connection.execute("select list(reason) from raw.rejected_items").fetchone()

from pipeline.defs.assets.landing import landing_assets
assets = sorted("/".join(key.path) for asset in landing_assets for key in asset.keys)
print(json.dumps({
    "said": said, "rows": rows, "followers": followers, "rejected": rejected, "assets": assets,
}))
"""
"""Run in one process: to start the program anew for each command takes longer than all of them."""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the code with the new platform in it."""
    left_out = ignore_patterns("target", "logs")
    for folder in ("pipeline", "dbt_project"):
        copytree(REPOSITORY / folder, tmp_path / folder, ignore=left_out)
    (tmp_path / "pipeline" / "collect" / "platforms" / "murmur.py").write_text(PLATFORM)
    staging = tmp_path / "dbt_project" / "models" / "staging" / "murmur"
    staging.mkdir()
    (staging / "stg_murmur__posts.sql").write_text(POSTS)
    (staging / "stg_murmur__profiles.sql").write_text(PROFILES)
    with (tmp_path / "dbt_project" / "seeds" / "metric_availability.csv").open("a") as seed:
        seed.write(SEED)
    return tmp_path


def run(copy: Path, *arguments: str) -> str:
    environment = {
        **os.environ,
        "PYTHONPATH": str(copy),
        "AFTERPOST_HOME": str(copy / "home"),
        "DAGSTER_HOME": "",
    }
    done = subprocess.run(
        [sys.executable, "-P", *arguments],
        cwd=copy, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_platform_is_added_with_one_file_one_folder_and_rows_of_one_seed(copy: Path) -> None:
    export = copy / "notes_2026-10-01.json"
    export.write_text(json.dumps(NOTES))

    result = json.loads(run(copy, "-c", PROGRAM, str(export)).splitlines()[-1])

    assert "--murmur" in result["said"]["help"]
    assert "murmur" in result["said"]["import"]
    assert result["rows"] == [
        # Shares are in the rows, but the seed does not say that they are published.
        ["12345678901234567890", 900, 40, 0, None, None],
        ["2", 10, None, None, None, None],
    ]
    assert result["followers"] == 55
    assert result["rejected"] == ["error row: tape torn"]
    assert "landing/murmur_posts" in result["assets"]
