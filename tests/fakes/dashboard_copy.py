"""A published copy for dashboards: as many posts as a test wants, and texts that mean harm.

Figures are made by simple rules; which differences are real is of no matter here.
"""

from pathlib import Path

import duckdb

from pipeline.clients import warehouse
from pipeline.learn.operations import SetFormatWeight
from pipeline.settings import Settings
from tests.fakes.contract_tables import create_contract_tables
from tests.fakes.published import ACCOUNT, OTHER_TABLES, add_account
from tests.fakes.recommendations import add_pending

OTHER_ACCOUNT = "nappy"
HARM = "window.hacked = true"
HOSTILE_TEXTS = (
    f"</script><script>{HARM}</script>",
    f"<!-- <script> <img src=x onerror='{HARM}'>",
    "שלום עולם \u202egpj.exe مرحبا",
    "👨\u200d👩\u200d👧 🇩🇪 早睡 ${alert(1)} {{ 7 * 7 }}",
    "first\u2028second\u2029third </SCRIPT >",
    f'"><svg onload="{HARM}">',
)
HOSTILE_SEGMENT = f"<img src=x onerror={HARM}>"
HOSTILE_NAME = f"<b>Sleepy</b> & </title><script>{HARM}</script>"

_POSTS = """
create table made as
select
    i,
    case when i % 5 = 4 and i > 9 then $other else $account end as account_name,
    case when (i % 5 = 4 and i > 9) or i % 3 > 0 then 'tiktok' else 'instagram' end as platform,
    (7300000000000000000 + i)::varchar as post_id,
    timestamptz '2026-11-19 08:00Z' - to_hours((i * 7)::integer) as posted_at,
    coalesce(
        $texts[i + 1],
        'Step ' || i || ': the quiet routine that made evenings easier, in five small parts '
        || repeat('and a word more ', $words)
    ) as text,
    ['step_guide', 'habit_list', 'scripts', $segment][1 + i % 4] as format,
    ['sleep_routines', 'picky_eating', 'baby_products'][1 + i % 3] as pillar,
    (1000 + 37 * (i % 211))::bigint as views,
    i * 7 >= 200 as is_old,
    date_diff('hour', posted_at, timestamptz '2026-11-20 08:00Z')::double as age_hours
from range($count) as posts (i);
"""

_ROWS = """
insert into marts.dim_account by name
select * from (values ($account, $name, 'parenting'), ($other, 'Nappy', null))
    as rows (account_name, display_name, niche);

insert into marts.dim_profile by name
select * from (values
    ($account, 'tiktok', 'sleepy', 12900, timestamptz '2026-11-20 08:00Z',
        timestamptz '2026-11-20 08:00Z'),
    ($account, 'instagram', '<i>sleepy</i>', null, null, timestamptz '2026-11-20 08:00Z'),
    ($other, 'tiktok', 'nappy', 900, timestamptz '2026-11-19 08:00Z',
        timestamptz '2026-11-19 08:00Z')
) as rows (account_name, platform, handle, follower_count, follower_count_at, last_seen_at);

insert into marts.dim_post by name
select
    account_name, platform, post_id, posted_at, posted_at::date as local_date, text as caption,
    format, pillar,
    case i
        when 5 then 'javascript:window.hacked=true'
        when 6 then null
        else 'https://www.tiktok.com/@' || account_name || '/video/' || post_id
    end as post_url
from made;

insert into marts.fct_post_performance by name
select
    account_name, platform, post_id, posted_at,
    case when platform = 'instagram' then 'carousel' else 'video' end as media_type,
    timestamptz '2026-11-20 08:00Z' as scraped_at, age_hours,
    case when platform = 'tiktok' then views end as view_count,
    (views / 10)::bigint as engagement_count,
    case when platform = 'tiktok' and is_old then views * 0.9 end as view_7d,
    case when is_old then views * 0.09 end as engagement_7d,
    case when platform = 'tiktok' then 0.05 + (i % 17) / 200.0 end as engagement_rate_views,
    case when is_old then (i * 29) % 101 end as score,
    case when is_old then 168 end as score_age_hours,
    case
        when not is_old then null
        when (i * 29) % 101 > 75 then 'overperforming'
        when (i * 29) % 101 < 40 then 'underperforming'
        else 'normal'
    end as category
from made;

insert into marts.fct_snapshot by name
select account_name, platform, post_id, timestamptz '2026-11-20 08:00Z' as scraped_at from made;

insert into intermediate.int_post_outcomes by name
select
    account_name, platform, post_id, unnest(['views_7d', 'engagement_7d', 'engagement_rate_7d'])
        as outcome,
    unnest([case when platform = 'tiktok' then views * 0.9 end, views * 0.09,
        case when platform = 'tiktok' then 0.1 + i % 7 / 100.0 end]) as value,
    unnest([ln(views * 0.9 + 1), ln(views * 0.09 + 1), ln(0.1 + i % 7 / 100.0)])
        as log_value_pulled_in
from made where is_old;
delete from intermediate.int_post_outcomes where value is null;

insert into marts.mart_save_vs_share_posts by name
select
    account_name, platform, post_id, format, pillar, views * 0.9 as view_7d,
    0.005 + i % 13 / 400.0 as save_rate_7d, 0.002 + i % 11 / 900.0 as share_rate_7d,
    0.02 as save_rate_7d_usual, 0.007 as share_rate_7d_usual,
    ['high_save', 'high_share', 'neither', 'high_both'][1 + i % 4] as classification
from made where platform = 'tiktok' and is_old;

insert into stats.post_projection by name
select
    account_name, platform, post_id, 'view' as metric, 168 as age_hours,
    age_hours as observed_age_hours, views as observed_count, views * 1.4 as expected_count,
    views * 1.2 as expected_count_low_80, views * 1.9 as expected_count_high_80,
    200 as training_post_count, 30 as account_training_post_count, 'boosting' as method
from made where platform = 'tiktok' and not is_old;

insert into stats.segment_effects by name
select
    account_name, platform, dimension, segment, outcome, 168 as age_hours, n,
    120 as account_n, 1 as account_count, 1200.0 as median, effect, effect / 1.2 as effect_low,
    effect * 1.2 as effect_high, case when effect > 1 then 0.999 else 0.001 end
        as probability_better,
    1.15 as null_best, 0.001 as q_value, verdict,
    case when effect is null then 3 when verdict like 'no%' then 40 else 0 end as posts_needed
from (values
    ('format', 'step_guide', 40, 1.6::double, 'better'),
    ('format', 'habit_list', 38, 0.7, 'worse'),
    ('format', 'scripts', 30, 1.02, 'no_clear_difference'),
    ('format', $segment, 2, null, 'not_enough_data'),
    ('pillar', 'sleep_routines', 50, 1.4, 'better'),
    ('pillar', 'baby_products', 44, 0.6, 'worse'),
    ('weekday', '1', 12, 1.1, 'no_clear_difference'),
    ('daypart', 'evening', 31, 1.3, 'no_clear_difference')
) as effects (dimension, segment, n, effect, verdict)
cross join (values ('views_7d'), ('engagement_7d')) as outcomes (outcome)
cross join (values ($account, 'tiktok'), ('*', 'tiktok')) as profiles (account_name, platform);

insert into marts.mart_timing by name
select
    $account as account_name, 'tiktok' as platform, outcome, day as local_weekday, daypart,
    (day * 3 + length(daypart)) % 12 as n, 900.0 as median, 0.4 + day / 3.0 as pooled_effect,
    0.3 + day / 3.0 as pooled_effect_low, 0.7 + day / 3.0 as pooled_effect_high,
    'pooled' as basis, 'no_clear_difference' as verdict, 1 as posts_needed
from (values ('views_7d'), ('engagement_7d')) as outcomes (outcome)
cross join (values ('morning'), ('evening'), ('late')) as parts (daypart)
cross join range(1, 8) as days (day);

insert into marts.mart_growth_curves by name
select
    account_name, platform, '*' as format, metric, age_hours, post_count,
    share as share_of_7d_median, share * 0.97 as share_of_7d_median_low,
    share * 1.03 as share_of_7d_median_high, share * 0.8 as share_of_7d_p10,
    share * 1.2 as share_of_7d_p90
from (values (24.0::double, 0.6::double, 90), (72.0, 0.85, 88), (168.0, 1.0, 90), (672.0, 1.1, 40))
    as ages (age_hours, share, post_count)
cross join (values
    ($account, 'tiktok', 'view'), ($account, 'tiktok', 'engagement'),
    ($account, 'instagram', 'engagement'), ($other, 'tiktok', 'view')
) as profiles (account_name, platform, metric);

insert into marts.mart_trend by name
select
    $account as account_name, platform, outcome, period, date '2026-10-14' as period_start,
    date '2026-11-12' as period_end, date '2026-09-14' as before_start,
    date '2026-10-13' as before_end, n, 30 as n_before, 1200.0 as median, 1000.0 as median_before,
    change, change * 0.8 as change_low, change * 1.25 as change_high, verdict,
    needed as posts_needed
from (values
    ('tiktok', 'views_7d', '30d', 28, 1.4::double, 'up', 0),
    ('instagram', 'engagement_7d', '30d', 2, null, 'not_enough_data', 3)
) as rows (platform, outcome, period, n, change, verdict, needed);

insert into stats.verdicts by name
select
    'rec_' || place as recommendation_id, $account as account_name, 'tiktok' as platform,
    'format' as dimension, segment, 'views_7d' as outcome, 'better' as direction,
    timestamptz '2026-10-01 08:00Z' as registered_at, timestamptz '2026-11-26 08:00Z' as horizon_at,
    verdict, verdict <> 'cannot_tell' as is_final, 'drawn' as evidence, 20 as n, 12 as control_n,
    effect, effect * 0.8 as effect_low, effect * 1.2 as effect_high, 1.1 as smallest_useful_ratio,
    needed as more_posts_needed
from (values
    (1, 'step_guide', 'worked', 1.5::double, null),
    (2, $segment, 'cannot_tell', null, 9)
) as rows (place, segment, verdict, effect, needed);
insert into marts.mart_verdicts by name
select * exclude (registered_at), registered_at as approved_at from stats.verdicts;

insert into marts.mart_cross_account by name
select
    'tiktok' as platform, 'format' as dimension, segment, 'views_7d' as outcome,
    $account as account_name, 40 as n, 60 as common_n, 1.3 as common_effect,
    1.1 as common_effect_low, 1.6 as common_effect_high, 0.01 as common_q_value,
    'better' as common_verdict, 2 as measured_account_count, 2 as better_account_count,
    0 as worse_account_count, 1.0 as same_sign_share, 0.1 as i_squared, 'universal' as scope,
    1.2 as pooled_ratio, false as is_simpson_reversal
from (values ('step_guide'), ($segment)) as rows (segment);

insert into intermediate.metric_availability by name
select
    'tiktok' as platform, 'video' as media_type, 'view_count' as metric,
    date '2005-01-01' as valid_from, date '9999-12-31' as valid_to, 'views' as definition_id;

insert into stats.build_info by name
select
    'v1' as warehouse_version, timestamptz '2026-11-20 09:00Z' as built_at,
    timestamptz '2026-11-20 08:00Z' as as_of;
drop table made;
"""


def publish_dashboard_copy(home: Path, post_count: int = 300, *, words: int = 0) -> Settings:
    """Two accounts, the posts of one of which begin with hostile texts, and what waits for them.

    Args:
        home: An empty folder.
        post_count: Posts in all; four of five are the first account's.
        words: How often each caption goes on with four more words.
    """
    settings = Settings(home=home)
    add_account(settings)
    add_account(settings, name=OTHER_ACCOUNT)
    with warehouse.writing(settings, "test") as connection:
        create_contract_tables(connection)
        for statement in OTHER_TABLES.split(";"):
            if "intermediate" in statement:
                connection.execute(statement)
        values = {
            "account": ACCOUNT,
            "other": OTHER_ACCOUNT,
            "name": HOSTILE_NAME,
            "segment": HOSTILE_SEGMENT,
            "texts": list(HOSTILE_TEXTS),
            "count": post_count,
            "words": words,
        }
        for statement in (_POSTS + _ROWS).split(";\n"):
            _run(connection, statement, values)
    warehouse.publish(settings, "v1")
    add_pending(settings, SetFormatWeight(format="step_guide", weight=1.4))
    return settings


def _run(connection: duckdb.DuckDBPyConnection, statement: str, values: dict[str, object]) -> None:
    named = {name: value for name, value in values.items() if f"${name}" in statement}
    if statement.strip():
        connection.execute(statement, named)
