"""A small published copy with the tables that reports read, written by hand.

Its figures are simple on purpose: the real models make the same columns, which the end-to-end
tests hold the reports against.
"""

from pathlib import Path

from pipeline.accounts import add_account
from pipeline.clients.warehouse import publish, writing
from pipeline.measure.statistics_tables import FAILURE_PATTERNS, VERDICTS, create_empty
from pipeline.settings import Settings
from tests.fakes.published import OTHER_TABLES

ACCOUNT = "night_owls"

_TABLES = """
create table marts.dim_profile as select * from (values
    ('night_owls', 'tiktok', 'nightowls', 12900::bigint, '2026-05-20 08:00Z'::timestamptz,
        '2026-05-20 08:00Z'::timestamptz),
    ('night_owls', 'instagram', 'night.owls', null, null, null)
) as rows (account_name, platform, handle, follower_count, follower_count_at, last_seen_at);

create table marts.fct_post_performance as
select 'night_owls' as account_name, 'tiktok' as platform, i::varchar as post_id,
    case when i <= 30 then (i * 100)::double end as view_7d,
    case when i <= 30 then (i * 10)::double end as engagement_7d,
    0.1 as engagement_rate_views
from range(1, 41) as posts (i);

create table marts.fct_snapshot as
select account_name, platform, post_id,
    '2026-05-21 21:05:34Z'::timestamptz + to_hours(day::integer) as scraped_at
from marts.fct_post_performance cross join range(0, 3) as days (day);

create table marts.dim_post as
select account_name, platform, post_id, 'step_guide' as format, date '2026-05-20' as local_date,
    null::varchar as hook_style, null::varchar as hook_text
from marts.fct_post_performance;

create table marts.mart_growth_curves as select * from (values
    ('night_owls', 'tiktok', '*', 'view', 24.0::double, 21::bigint, 0.63::double, 0.55::double,
        0.71::double),
    ('night_owls', 'tiktok', 'step_guide', 'view', 24.0, 9, 0.5, 0.4, 0.6)
) as rows (account_name, platform, format, metric, age_hours, post_count, share_of_7d_median,
    share_of_7d_p10, share_of_7d_p90);

create table stats.segment_effects as select * from (values
    ('night_owls', 'tiktok', 'format', 'step_guide', 'views_7d', 168, 30, 60, 1500.0::double,
        1.62::double, 1.31::double, 2.05::double, 0.999::double, 1.22::double, 0.001::double,
        'better'),
    ('night_owls', 'tiktok', 'format', 'scripts', 'views_7d', 168, 30, 60, 900.0, 0.97, 0.80, 1.15,
        0.4, 1.22, 0.8, 'no_clear_difference'),
    ('night_owls', 'tiktok', 'format', 'how_to', 'views_7d', 168, 3, 60, 800.0, null, null, null,
        null, null, null, 'not_enough_data'),
    ('night_owls', 'tiktok', 'weekday', '7', 'views_7d', 168, 20, 60, 800.0, 0.95, 0.8, 1.1, 0.3,
        1.2, 0.9, 'no_clear_difference'),
    ('night_owls', 'tiktok', 'weekday', '1', 'views_7d', 168, 20, 60, 800.0, 1.01, 0.9, 1.2, 0.6,
        1.2, 0.9, 'no_clear_difference'),
    ('night_owls', 'instagram', 'pillar', 'sleep', 'views_7d', 168, 4, 4, 10.0, null, null, null,
        null, null, null, 'not_enough_data'),
    ('*', 'tiktok', 'format', 'step_guide', 'views_7d', 168, 60, 120, null, 1.40, 1.10, 1.80, 0.97,
        null, 0.04, 'better')
) as rows (account_name, platform, dimension, segment, outcome, age_hours, n, account_n, median,
    effect, effect_low, effect_high, probability_better, null_best, q_value, verdict);

create table stats.build_info as select
    'v1' as warehouse_version, '2026-05-21 22:00Z'::timestamptz as built_at,
    '2026-05-21 21:05:34Z'::timestamptz as as_of;
"""

_FORMATS = """
formats: [step_guide, scripts, how_to]
content_pillars: [sleep]
"""


def publish_night_owls(home: Path) -> Settings:
    """An account with one clear finding (step_guide on TikTok), and the copy that holds it."""
    settings = Settings(home=home)
    path = add_account(
        settings.accounts_dir, ACCOUNT, timezone="UTC", platform_profiles={"tiktok": "nightowls"}
    )
    path.write_text(path.read_text(encoding="utf-8") + _FORMATS, encoding="utf-8")
    with writing(settings, "test") as connection:
        connection.execute(_TABLES)
        create_empty(connection, VERDICTS)
        create_empty(connection, FAILURE_PATTERNS)
        connection.execute(
            OTHER_TABLES.replace("create or replace table", "create table if not exists")
        )
        connection.execute(
            "create view marts.mart_verdicts as "
            "select *, 'high' as confidence, registered_at as approved_at from stats.verdicts"
        )
    publish(settings, "v1")
    return settings
