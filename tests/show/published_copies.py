"""A small published copy with the tables that reports read, written by hand.

Its figures are simple on purpose: the real models make the same columns, which the contracts and
the end-to-end tests hold the reports against.
"""

import shutil
import tempfile
from functools import cache
from pathlib import Path

from pipeline.accounts import add_account
from pipeline.clients.warehouse import publish, writing
from pipeline.settings import Settings
from tests.fakes.contract_tables import create_contract_tables
from tests.fakes.published import OTHER_TABLES

ACCOUNT = "night_owls"
OTHER_ACCOUNT = "early_birds"

_ROWS = """
insert into marts.dim_profile by name select * from (values
    ('night_owls', 'tiktok', 'nightowls', 12900::bigint, '2026-05-20 08:00Z'::timestamptz,
        '2026-05-20 08:00Z'::timestamptz),
    ('night_owls', 'instagram', 'night.owls', null, null, null)
) as rows (account_name, platform, handle, follower_count, follower_count_at, last_seen_at);

insert into marts.fct_post_performance by name
select 'night_owls' as account_name, 'tiktok' as platform, i::varchar as post_id,
    case when i <= 30 then (i * 100)::double end as view_7d,
    case when i <= 30 then (i * 10)::double end as engagement_7d,
    0.1 as engagement_rate_views
from range(1, 41) as posts (i);

insert into marts.fct_snapshot by name
select account_name, platform, post_id,
    '2026-05-21 21:05:34Z'::timestamptz + to_hours(day::integer) as scraped_at
from marts.fct_post_performance cross join range(0, 3) as days (day);

insert into marts.dim_post by name
select account_name, platform, post_id, 'step_guide' as format, date '2026-05-20' as local_date,
    'Nine \U0001f634 steps\x1b[31m to 早睡 for ' || post_id as caption
from marts.fct_post_performance;

insert into marts.mart_growth_curves by name select * from (values
    ('night_owls', 'tiktok', '*', 'view', 24.0::double, 21::bigint, 0.63::double, 0.60::double,
        0.66::double, 0.55::double, 0.71::double),
    ('night_owls', 'tiktok', 'step_guide', 'view', 24.0, 9, 0.5, 0.48, 0.52, 0.4, 0.6)
) as rows (account_name, platform, format, metric, age_hours, post_count, share_of_7d_median,
    share_of_7d_median_low, share_of_7d_median_high, share_of_7d_p10, share_of_7d_p90);

insert into stats.segment_effects by name select *, 1 as account_count from (values
    ('night_owls', 'tiktok', 'format', 'step_guide', 'views_7d', 168, 30, 60, 1500.0::double,
        1.62::double, 1.31::double, 2.05::double, 0.999::double, 1.22::double, 0.001::double,
        'better', 0),
    ('night_owls', 'tiktok', 'format', 'scripts', 'views_7d', 168, 30, 60, 900.0, 1.17, 0.90, 1.45,
        0.9, 1.22, 0.3, 'no_clear_difference', 21),
    ('night_owls', 'tiktok', 'format', 'how_to', 'views_7d', 168, 3, 60, 800.0, null, null, null,
        null, null, null, 'not_enough_data', 12),
    ('night_owls', 'tiktok', 'hook_style', 'how_to', 'share_rate_7d', 168, 25, 60, 0.01, 0.71, 0.60,
        0.80, 0.001, 1.1, 0.01, 'worse', 0),
    ('night_owls', 'tiktok', 'weekday', '7', 'views_7d', 168, 20, 60, 800.0, 0.95, 0.8, 1.1, 0.3,
        1.2, 0.9, 'no_clear_difference', null),
    ('night_owls', 'tiktok', 'weekday', '1', 'views_7d', 168, 20, 60, 800.0, 1.01, 0.9, 1.2, 0.6,
        1.2, 0.9, 'no_clear_difference', null),
    ('night_owls', 'instagram', 'pillar', 'sleep', 'views_7d', 168, 4, 4, 10.0, null, null, null,
        null, null, null, 'not_enough_data', 1),
    ('*', 'tiktok', 'format', 'step_guide', 'views_7d', 168, 60, 120, null, 1.40, 1.10, 1.80, 0.97,
        null, 0.04, 'better', null)
) as rows (account_name, platform, dimension, segment, outcome, age_hours, n, account_n, median,
    effect, effect_low, effect_high, probability_better, null_best, q_value, verdict, posts_needed);

insert into marts.mart_cross_account by name select * from (values
    ('tiktok', 'format', 'step_guide', 'views_7d', 'night_owls', 30, 60, 1.40::double,
        1.10::double, 1.80::double, 0.04::double, 'better', 2, 1, 0, 1.0::double, 0.2::double,
        'universal', 0.9::double, true),
    ('tiktok', 'format', 'step_guide', 'views_7d', 'early_birds', 30, 60, 1.40, 1.10, 1.80, 0.04,
        'better', 2, 1, 0, 1.0, 0.2, 'universal', 0.9, true),
    ('tiktok', 'format', 'scripts', 'views_7d', 'night_owls', 30, 60, 1.02, 0.70, 1.50, 0.8,
        'no_clear_difference', 2, 1, 1, 0.5, 0.9, 'account_specific', 1.0, false)
) as rows (platform, dimension, segment, outcome, account_name, n, common_n, common_effect,
    common_effect_low, common_effect_high, common_q_value, common_verdict, measured_account_count,
    better_account_count, worse_account_count, same_sign_share, i_squared, scope, pooled_ratio,
    is_simpson_reversal);

insert into marts.mart_format_performance by name select * from (values
    ('night_owls', 'tiktok', 'step_guide', 30, 0.5::double, 0.7::double, 1.4::double, 1.1::double,
        1.8::double),
    ('night_owls', 'tiktok', 'how_to', 3, 0.05, 0.02, null, null, null)
) as rows (account_name, platform, format, post_count_engagement_7d, share_of_posts_7d,
    share_of_engagement_7d, engagement_lift, engagement_lift_low, engagement_lift_high);

insert into marts.mart_timing by name select * from (values
    ('night_owls', 'tiktok', 'views_7d', 5, 'evening', 9, 1200.0::double, 1.31::double,
        1.03::double, 1.66::double, 1.28::double, 0.9::double, 1.8::double, 'cell', 'better', 0),
    ('night_owls', 'tiktok', 'views_7d', 1, 'late', 2, 900.0, 0.9, 0.6, 1.3, null, null, null,
        'pooled', 'no_clear_difference', 6),
    ('night_owls', 'tiktok', 'engagement_7d', 1, 'late', 2, 90.0, 0.9, 0.6, 1.3, null, null, null,
        'pooled', 'no_clear_difference', 6)
) as rows (account_name, platform, outcome, local_weekday, daypart, n, median, pooled_effect,
    pooled_effect_low, pooled_effect_high, cell_effect, cell_effect_low, cell_effect_high, basis,
    verdict, posts_needed);

insert into marts.mart_slide_count_performance by name select * from (values
    ('night_owls', 'tiktok', 'views_7d', 'step_guide', 7, 11, 1200.0::double, 1.1::double,
        0.9::double, 1.4::double, 1.2::double, 0.8::double, 1.7::double, 'cell',
        'no_clear_difference', 0),
    ('night_owls', 'tiktok', 'views_7d', 'step_guide', 5, 7, 900.0, 0.9, 0.6, 1.3, null, null, null,
        'pooled', 'no_clear_difference', 1)
) as rows (account_name, platform, outcome, format, slide_count, n, median, pooled_effect,
    pooled_effect_low, pooled_effect_high, cell_effect, cell_effect_low, cell_effect_high, basis,
    verdict, posts_needed);

insert into marts.mart_hook_score by name select * from (values
    ('night_owls', 'tiktok', 'views_7d', 30, 0.25::double, -0.06::double, 0.52::double,
        'no_clear_difference', 0),
    ('night_owls', 'tiktok', 'save_rate_7d', 6, null, null, null, 'not_enough_data', 4)
) as rows (account_name, platform, outcome, n, correlation, correlation_low, correlation_high,
    verdict, posts_needed);

insert into marts.mart_cadence by name select * from (values
    ('night_owls', 'tiktok', 'views_7d', 12, 60, 5.0::double, 4.4::double, 5.6::double,
        -1.0::double, -1.5::double, -0.5::double, 'diminishing', 0),
    ('night_owls', 'tiktok', 'save_rate_7d', 7, 30, 5.0, 4.4, 5.6, null, null, null,
        'not_enough_data', 1)
) as rows (account_name, platform, outcome, week_count, post_count, posts_per_week_mean,
    posts_per_week_mean_low, posts_per_week_mean_high, per_post_slope, per_post_slope_low,
    per_post_slope_high, verdict, weeks_needed);

insert into marts.mart_save_vs_share by name select * from (values
    ('night_owls', 'tiktok', 'format', 'step_guide', 30, 28, 1.41::double, 1.3::double,
        1.55::double, 28, 0.98::double, 0.9::double, 1.1::double, 'high_save', 0),
    ('night_owls', 'tiktok', 'format', 'how_to', 4, 3, null, null, null, 3, null, null, null,
        'not_enough_data', 12),
    ('night_owls', 'instagram', 'format', 'step_guide', 9, null, null, null, null, null, null, null,
        null, 'unclassified', null)
) as rows (account_name, platform, dimension, segment, post_count, save_n, save_effect,
    save_effect_low, save_effect_high, share_n, share_effect, share_effect_low, share_effect_high,
    classification, posts_needed);

insert into marts.mart_failures by name select * from (values
    ('night_owls', 'tiktok', 'views_7d', 'pillar', 'sleep', 20, 12, 60, 12, 0.6::double,
        3.0::double, 2.1::double, 3.9::double, 0.001::double, 'over_represented', 0),
    ('night_owls', 'tiktok', 'views_7d', 'format', 'scripts', 30, 6, 60, 12, 0.2, 1.0, 0.5, 1.6,
        0.9, 'no_clear_difference', 0)
) as rows (account_name, platform, outcome, dimension, segment, n, worst_n, account_n,
    account_worst_n, worst_share, ratio, ratio_low, ratio_high, q_value, verdict, posts_needed);

insert into marts.mart_failure_posts by name select * from (values
    ('night_owls', 'tiktok', 'views_7d', '1', 1, 60, 100.0::double, 1500.0::double, 0.07::double,
        '2026-05-01 08:00Z'::timestamptz),
    ('night_owls', 'tiktok', 'engagement_7d', '2', 1, 60, 10.0, 150.0, 0.07,
        '2026-05-02 08:00Z'::timestamptz)
) as rows (account_name, platform, outcome, post_id, failure_rank, account_n, value, account_median,
    multiple_of_median, posted_at);

insert into marts.mart_pareto by name select * from (values
    ('night_owls', 'tiktok', 'views_7d', 60, 12, 0.53::double, 0.48::double, 0.58::double,
        0.5::double, 0.4::double, 0.6::double, '30', 0.07::double, 0.52::double, 0.45::double,
        0.6::double, 'as_noise', 0),
    ('night_owls', 'instagram', 'engagement_7d', 4, null, null, null, null, null, null, null, null,
        null, null, null, null, 'not_enough_data', 6)
) as rows (account_name, platform, outcome, n, top_n, top_share, top_share_low, top_share_high,
    top_share_without_top_post, top_share_without_top_post_low,
    top_share_without_top_post_high, top_post_id, top_post_share, noise_top_share,
    noise_top_share_low, noise_top_share_high, verdict, posts_needed);

insert into marts.mart_exploration by name select * from (values
    ('night_owls', 'tiktok', 'format', 'step_guide', true, 30, 60, 0, 15, 20, 0.75::double,
        0.56::double, 0.88::double, 'over_indexed', 0),
    ('night_owls', 'tiktok', 'format', 'quotes', true, 0, 60, null, 0, 20, 0.0, 0.0, 0.12,
        'untested', 0)
) as rows (account_name, platform, dimension, segment, is_listed, post_count, labelled_post_count,
    days_since_used, recent_post_count, recent_n, recent_share, recent_share_low,
    recent_share_high, status, posts_needed);
update marts.mart_exploration set
    even_share = 0.25, entropy_normalised = 0.6, entropy_normalised_low = 0.4,
    entropy_normalised_high = 0.8;

insert into marts.mart_platform_comparison by name select * from (values
    ('night_owls', 'tiktok', 'instagram', 'like_comment_count_7d', 60, 9, 500.0::double,
        170.0::double, 2.94::double, 2.4::double, 3.6::double, 'higher', 0),
    ('night_owls', 'instagram', 'tiktok', 'like_comment_count_7d', 9, 60, 170.0, 500.0, 0.34, 0.28,
        0.42, 'lower', 0),
    ('night_owls', 'tiktok', 'instagram', 'posts_per_week', 12, 2, 5.0, 2.0, null, null, null,
        'not_enough_data', 3)
) as rows (account_name, platform, other_platform, metric, n, n_other, usual, usual_other, ratio,
    ratio_low, ratio_high, verdict, needed);

insert into stats.post_projection by name select
    'night_owls' as account_name, 'tiktok' as platform, '40' as post_id, 'view' as metric,
    168 as age_hours, 40.0 as observed_age_hours, 300 as observed_count, 410.0 as expected_count,
    360.0 as expected_count_low_80, 520.0 as expected_count_high_80, 200 as training_post_count,
    30 as account_training_post_count, 'curve' as method;

insert into stats.build_info by name select
    'v1' as warehouse_version, '2026-05-21 22:00Z'::timestamptz as built_at,
    '2026-05-21 21:05:34Z'::timestamptz as as_of;
"""

_FORMATS = """
formats: [step_guide, scripts, how_to]
content_pillars: [sleep]
"""


def publish_night_owls(home: Path) -> Settings:
    """An account with one clear finding (step_guide on TikTok), and the copy that holds it."""
    shutil.copytree(_made_once().name, home, dirs_exist_ok=True)
    return Settings(home=home)


@cache
def _made_once() -> "tempfile.TemporaryDirectory[str]":
    """The home that every test gets a copy of; it goes with the process."""
    folder = tempfile.TemporaryDirectory(prefix="night_owls_")
    settings = Settings(home=Path(folder.name))
    path = add_account(
        settings.accounts_dir, ACCOUNT, timezone="UTC", platform_profiles={"tiktok": "nightowls"}
    )
    path.write_text(path.read_text(encoding="utf-8") + _FORMATS, encoding="utf-8")
    with writing(settings, "test") as connection:
        create_contract_tables(connection)
        for statement in OTHER_TABLES.split(";"):
            if "intermediate" in statement:
                connection.execute(statement)
        connection.execute(_ROWS)
    publish(settings, "v1")
    return folder
