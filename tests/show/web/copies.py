"""A home for the web server: the dashboards' copy with its hostile texts, and factors of posts."""

from pathlib import Path

from fastapi import FastAPI
from fastapi.testclient import TestClient

from pipeline.clients import warehouse
from pipeline.clock import utc_now
from pipeline.settings import Settings
from pipeline.show.web.api import add_api
from tests.fakes.dashboard_copy import publish_dashboard_copy
from tests.fakes.published import ACCOUNT
from tests.show.web.experiments import POSTS, seed_experiments

VERSION = "v2"
TOKEN = "planted-tökén"
LOOPBACK = "http://127.0.0.1"
POST = "tiktok:7300000000000000100"
"""A post of `ACCOUNT` that is old enough to be compared."""

_MORE = """
insert into marts.fct_post_factor by name
select
    account_name, platform, post_id, kind, 'form' as cause, 'format' as factor_type,
    'step_guide posts do better' as title,
    'step_guide posts get 1.60× the usual (90 % interval 1.33–1.92×, 40 posts).' as description,
    impact, impact - 0.2 as impact_low, impact + 0.2 as impact_high, 'high' as confidence,
    40 as n, 'step_guide' as segment, 'views_7d' as outcome, 168 as age_hours, 1200.0 as value
from marts.fct_post_performance
cross join (values ('success', 0.6::double), ('failure', -0.1)) as kinds (kind, impact)
where score is not null and post_id[-1:] in ('0', '1');
insert into intermediate.int_post_segments by name
select account_name, platform, post_id, 'format' as dimension, format as segment
from marts.dim_post;
insert into intermediate.metric_availability by name
select 'instagram' as platform, 'carousel' as media_type, 'like_count' as metric,
    date '2005-01-01' as valid_from, date '9999-12-31' as valid_to, 'likes' as definition_id;
update marts.fct_post_performance set score_percentile = score / 100.0, peer_count = 90
where score is not null;
insert into marts.mart_trend by name
select
    'sleepy' as account_name, platform, 'engagement_rate_7d' as outcome, '30d' as period,
    date '2026-10-14' as period_start, date '2026-11-12' as period_end,
    date '2026-09-14' as before_start, date '2026-10-13' as before_end, 28 as n, 30 as n_before,
    1.3::double as change, 1.1::double as change_low, 1.5::double as change_high,
    'up' as verdict, 0 as posts_needed
from (values ('tiktok')) as rows (platform);
update marts.mart_verdicts set decided_at = horizon_at where verdict = 'worked';
insert into stats.cost_ledger by name
select 'sleepy' as account_name, current_date as local_date, 'apify/a' as source,
    0.25::decimal(18, 8) as cost_usd, 2 as run_count, 1 as unpriced_run_count;
create or replace table intermediate.int_snapshots__published as
select
    account_name, platform, post_id, posted_at + to_hours(180) as scraped_at,
    180.0::double as age_hours, 1000::bigint as view_count, 10::bigint as like_count,
    10::bigint as comment_count, 10::bigint as share_count, 10::bigint as save_count
from marts.dim_post where posted_at < timestamptz '2026-11-12 00:00Z';
update marts.dim_post set local_posted_at = posted_at::timestamp - to_hours(5);
insert into marts.mart_prediction_skill by name
select
    'sleepy' as account_name, 'tiktok' as platform, target, '*' as model_name, 'all' as period,
    0 as periods_ago, date '2026-11-20' as period_end, n, n as model_n, 0.18 as pinball_loss,
    0.2 as baseline_pinball_loss, 0.9 as pinball_ratio, 0.82 as pinball_ratio_low,
    0.98 as pinball_ratio_high, 0.79 as coverage, 0.7 as coverage_low, 0.86 as coverage_high,
    0.44 as close_share, 0.38 as close_share_low, 0.5 as close_share_high,
    0.4 as baseline_close_share, 0.01 as mean_log_gap, 0 as breakout_n
from (values ('views_7d', 60), ('engagement_rate_7d', 58)) as rows (target, n);
update stats.build_info set warehouse_version = 'v2';
"""


def web_home(home: Path) -> Settings:
    """Two accounts with posts, factors, a trend, and a recommendation that waits."""
    settings = publish_dashboard_copy(home)
    publish_changed(settings, VERSION, _MORE + POSTS)
    seed_experiments(settings, utc_now())
    plans = home / "accounts" / ACCOUNT / "output" / "2026-11-01_guide"
    plans.mkdir(parents=True)
    (plans / "meta.json").write_text('{"caption": "A guide", "platform": "tiktok"}')
    return settings


def api_client(settings: Settings) -> TestClient:
    """A server with the API alone, which is made in half the time."""
    app = FastAPI()
    add_api(app, settings)
    return TestClient(app, base_url=LOOPBACK)


def publish_changed(settings: Settings, version: str, sql: str) -> None:
    """Change the warehouse and publish it as a new version."""
    with warehouse.writing(settings, "test") as connection:
        connection.execute("set timezone = 'UTC'")
        for statement in sql.split(";\n"):
            if statement.strip():
                connection.execute(statement)
    warehouse.publish(settings, version)
