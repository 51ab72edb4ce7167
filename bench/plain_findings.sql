-- The second half of the yardstick: what the marts find in the figures of plain_marts.sql. Effects
-- are those of plain means of logarithms with a normal interval, as in a first analysis by hand.

create table outcomes as
with counted as (
    select account_name, platform, post_id, view_168 as views_7d,
        engagement_168 as engagement_7d, save_168 as save_7d, share_168 as share_7d
    from fct_post_performance
    where not is_ad
)
select account_name, platform, post_id, outcome, value, log_value
from (
    select account_name, platform, post_id, 'views_7d' as outcome, views_7d as value,
        ln(1 + views_7d) as log_value
    from counted
    union all
    select account_name, platform, post_id, 'engagement_7d', engagement_7d, ln(1 + engagement_7d)
    from counted
    {rates: union all
    select account_name, platform, post_id, '{r}_rate_7d', {r}_7d / nullif(views_7d, 0),
        ln(({r}_7d + 0.5) / (nullif(views_7d, 0) + 1))
    from counted}
)
where value is not null;

create table segments as
select account_name, platform, post_id, dimension, segment
from (
    {dimensions: select account_name, platform, post_id, '{d}' as dimension,
        cast({d} as varchar) as segment
    from fct_post_performance where not is_ad}
)
where segment is not null;

create table segment_effects as
with moments as (
    select account_name, platform, dimension, segment, outcome, count(*) as n,
        median(value) as median, avg(log_value) as log_mean, var_samp(log_value) as log_variance
    from segments
    inner join outcomes using (account_name, platform, post_id)
    group by all
),
accounts as (
    select account_name, platform, outcome, count(*) as account_n, avg(log_value) as account_mean,
        var_samp(log_value) as account_variance
    from outcomes
    group by all
),
compared as (
    select *,
        log_mean - (account_n * account_mean - n * log_mean) / nullif(account_n - n, 0) as log_effect,
        sqrt(account_variance / n + account_variance / nullif(account_n - n, 0)) as log_error
    from moments
    inner join accounts using (account_name, platform, outcome)
)
select account_name, platform, dimension, segment, outcome, n, account_n, median, log_mean,
    account_mean, log_effect, log_error, exp(log_effect) as effect,
    exp(log_effect - 1.645 * log_error) as effect_low,
    exp(log_effect + 1.645 * log_error) as effect_high,
    case
        when n < 8 or account_n - n < 5 then 'not_enough_data'
        when log_effect > 2.576 * log_error then 'better'
        when log_effect < -2.576 * log_error then 'worse'
        else 'no_clear_difference'
    end as verdict
from compared;

-- Half of what a post reached at the last age it was read at.
create table post_growth as
with reached as (
    select account_name, platform, post_id, max(age) as of_age, max_by(view_count, age) as reached
    from at_ages where view_count is not null
    group by all
),
points as (
    select account_name, platform, post_id, age as age_hours, view_count
    from at_ages where view_count is not null
    union all
    select account_name, platform, post_id, age_hours, view_count
    from fct_snapshot where age_hours > 0 and age_hours < 24 and view_count is not null
),
around as (
    select account_name, platform, post_id, of_age, reached,
        max(age_hours) filter (view_count < reached / 2) as age_before,
        max(view_count) filter (view_count < reached / 2) as before,
        min(age_hours) filter (view_count >= reached / 2) as age_after,
        min(view_count) filter (view_count >= reached / 2) as after
    from points
    inner join reached using (account_name, platform, post_id)
    where reached > 0
    group by all
)
select posts.account_name, posts.platform, posts.post_id, posts.growth_shape,
    posts.view_24 / 24 as view_per_hour_24h,
    1 - posts.view_168 / nullif(posts.view_672, 0) as view_share_after_7d,
    exp(
        ln(age_before) + (ln(1 + reached / 2) - ln(1 + before)) * (ln(age_after) - ln(age_before))
        / (ln(1 + after) - ln(1 + before))
    ) as half_life_hours
from fct_post_performance as posts
left join around using (account_name, platform, post_id);

create table mart_save_vs_share_posts as
with rates as (
    select *, save_168 / nullif(view_168, 0) as save_rate_7d,
        share_168 / nullif(view_168, 0) as share_rate_7d,
        median(save_168 / nullif(view_168, 0)) over account as save_rate_usual,
        median(share_168 / nullif(view_168, 0)) over account as share_rate_usual
    from fct_post_performance
    where view_168 is not null and not is_ad
    window account as (partition by account_name, platform)
)
select account_name, platform, post_id, format, pillar, hook_style, save_rate_7d, share_rate_7d,
    save_rate_usual, share_rate_usual,
    save_rate_7d >= 1.25 * save_rate_usual as is_high_save,
    share_rate_7d >= 1.25 * share_rate_usual as is_high_share,
    case
        when save_rate_7d is null or share_rate_7d is null then 'unclassified'
        when is_high_save and is_high_share then 'high_both'
        when is_high_save then 'high_save'
        when is_high_share then 'high_share'
        else 'neither'
    end as classification
from rates;

create table mart_save_vs_share as
select segments.account_name, segments.platform, segments.dimension, segments.segment,
    count(*) as post_count,
    median(posts.save_rate_7d) as save_rate_7d_median,
    median(posts.share_rate_7d) as share_rate_7d_median,
    count(*) filter (posts.is_high_save) as high_save_post_count,
    count(*) filter (posts.is_high_share) as high_share_post_count,
    any_value(saves.effect) as save_effect,
    any_value(shares.effect) as share_effect
from segments
inner join mart_save_vs_share_posts as posts using (account_name, platform, post_id)
left join segment_effects as saves
    on saves.account_name = segments.account_name and saves.platform = segments.platform
    and saves.dimension = segments.dimension and saves.segment = segments.segment
    and saves.outcome = 'save_rate_7d'
left join segment_effects as shares
    on shares.account_name = segments.account_name and shares.platform = segments.platform
    and shares.dimension = segments.dimension and shares.segment = segments.segment
    and shares.outcome = 'share_rate_7d'
where segments.dimension in ('format', 'pillar', 'hook_style')
group by segments.account_name, segments.platform, segments.dimension, segments.segment;

create table mart_failure_posts as
select *
from (
    select *, row_number() over (account order by log_value, post_id) as failure_rank,
        count(*) over account as account_n, median(value) over account as account_median
    from outcomes
    where outcome <> 'share_rate_7d'
    window account as (partition by account_name, platform, outcome)
)
inner join (
    select account_name, platform, post_id, posted_at, media_type, format, pillar, topic,
        hook_style, cta, slide_count
    from fct_post_performance
) using (account_name, platform, post_id)
left join (
    select account_name, platform, post_id, listing_state from fct_post_listing
) using (account_name, platform, post_id)
where account_n >= 10 and 5 * failure_rank <= account_n;

create table mart_failures as
with counted as (
    select outcomes.account_name, outcomes.platform, outcomes.outcome, segments.dimension,
        segments.segment, count(*) as n, count(worst.post_id) as worst_n
    from outcomes
    inner join segments using (account_name, platform, post_id)
    left join mart_failure_posts as worst using (account_name, platform, post_id, outcome)
    where outcomes.outcome <> 'share_rate_7d'
    group by all
)
select *, n / 5 as expected_worst_n, worst_n / (n / 5) as ratio,
    case
        when n < 8 then 'not_enough_data'
        when worst_n - n / 5 > 2.576 * sqrt(0.16 * n) then 'more_often'
        when worst_n - n / 5 < -2.576 * sqrt(0.16 * n) then 'less_often'
        else 'no_clear_difference'
    end as verdict
from counted;

create table mart_pareto as
with ranked as (
    select *, row_number() over (account order by value desc, post_id) as place,
        count(*) over account as n, sum(value) over account as total
    from outcomes
    where outcome in ('views_7d', 'engagement_7d')
    window account as (partition by account_name, platform, outcome)
)
select account_name, platform, outcome, n, total,
    sum(value) filter (place <= n / 5) / nullif(total, 0) as top_share,
    sum(value) filter (place > 1 and place <= 1 + (n - 1) / 5)
        / nullif(sum(value) filter (place > 1), 0) as top_share_without_top_post,
    any_value(post_id) filter (place = 1) as top_post_id
from ranked
group by account_name, platform, outcome, n, total;

create table mart_exploration as
with used as (
    select account_name, platform, dimension, segment, posted_at,
        row_number() over (
            partition by account_name, platform, dimension order by posted_at desc, post_id
        ) as place
    from segments
    inner join fct_post_performance using (account_name, platform, post_id)
    where dimension in ('format', 'pillar', 'cta')
),
uses as (
    select account_name, platform, dimension, segment, count(*) as post_count,
        count(*) filter (place <= 20) as recent_post_count, max(posted_at) as last_used_at
    from used
    group by all
),
listed as (
    select account_name, 'format' as dimension, unnest(formats) as segment from accounts
    union all select account_name, 'pillar', unnest(pillars) from accounts
    union all select account_name, 'cta', unnest(ctas) from accounts
),
wanted as (
    select distinct account_name, platform, dimension, listed.segment
    from listed inner join uses using (account_name, dimension)
    union select account_name, platform, dimension, segment from uses
),
shares as (
    select wanted.*, coalesce(post_count, 0) as post_count,
        coalesce(recent_post_count, 0) as recent_post_count, last_used_at,
        max(last_used_at) over profile as newest_at, count(*) over profile as segment_count,
        recent_post_count / sum(recent_post_count) over profile as recent_share
    from wanted left join uses using (account_name, platform, dimension, segment)
    window profile as (partition by account_name, platform, dimension)
)
select *,
    -sum(recent_share * ln(nullif(recent_share, 0))) over (
        partition by account_name, platform, dimension
    ) / nullif(ln(segment_count), 0) as entropy_normalised,
    case
        when post_count = 0 then 'untested'
        when newest_at - last_used_at >= interval 21 day then 'long_unused'
        when post_count < 3 then 'rarely_used'
        when recent_share > 2 / segment_count then 'over_indexed'
        else 'in_use'
    end as status
from shares;

create table mart_cadence_weekly as
with weeks as (
    select account_name, platform, post_id,
        cast(date_trunc('week', local_posted_at) as date) as week_start,
        count(*) over (partition by account_name, platform, week_start) as post_count
    from dim_post where not is_pinned
)
select account_name, platform, outcome, week_start, any_value(post_count) as post_count,
    count(*) as n, median(value) as median, avg(log_value) as log_mean, sum(value) as total
from weeks
inner join outcomes using (account_name, platform, post_id)
where outcome <> 'share_rate_7d'
group by all;

create table mart_cadence as
select account_name, platform, outcome, count(*) as week_count,
    median(post_count) as posts_per_week_median,
    regr_slope(log_mean, ln(post_count)) as per_post_slope,
    regr_slope(ln(1 + total * post_count / n), ln(post_count)) as per_week_slope,
    sqrt(
        (1 - regr_r2(log_mean, ln(post_count))) * regr_syy(log_mean, ln(post_count))
        / nullif(count(*) - 2, 0) / nullif(regr_sxx(log_mean, ln(post_count)), 0)
    ) as per_post_error
from mart_cadence_weekly
group by all;

-- No post of the generated world was planned, so none has a hook score.
create table mart_hook_score as
with ranked as (
    select account_name, platform, outcome, format,
        percent_rank() over (account order by hook_score) as score_rank,
        percent_rank() over (account order by log_value) as outcome_rank
    from outcomes
    inner join dim_post using (account_name, platform, post_id)
    where hook_score is not null
    window account as (partition by account_name, platform, outcome)
)
select account_name, platform, outcome, count(*) as n, corr(score_rank, outcome_rank) as correlation
from ranked
group by all;

create table mart_trend as
with ends as (
    select account_name, platform, max(cast(scraped_at as date)) - 8 as last_day
    from dim_post group by all
),
posts as (
    select outcomes.*, cast(local_posted_at as date) as posted_on, last_day
    from outcomes
    inner join dim_post using (account_name, platform, post_id)
    inner join ends using (account_name, platform)
    where posted_on <= last_day
),
periods as (
    {windows: select account_name, platform, outcome, '{w}d' as period, last_day - {w} + 1 as starts_on,
        cast(posted_on <= last_day - {w} as integer) as ago, value, log_value
    from posts where posted_on > last_day - 2 * {w}}
    union all
    select account_name, platform, outcome, 'month',
        cast(date_trunc('month', posted_on) + to_months(ago) as date), ago, value, log_value
    from posts cross join (values (0), (1)) as before (ago)
),
summed as (
    select account_name, platform, outcome, period, starts_on
        {agos: , count(*) filter (ago = {b}) as n_{b},
        median(value) filter (ago = {b}) as median_{b},
        avg(log_value) filter (ago = {b}) as log_mean_{b},
        var_samp(log_value) filter (ago = {b}) as log_variance_{b}}
    from periods
    group by all
)
select *, exp(log_mean_0 - log_mean_1) as change,
    1.645 * sqrt(log_variance_0 / n_0 + log_variance_1 / nullif(n_1, 0)) as half_width,
    exp(log_mean_0 - log_mean_1 - half_width) as change_low,
    exp(log_mean_0 - log_mean_1 + half_width) as change_high
from summed
where n_0 > 0;

create table mart_cross_account as
with common as (
    select platform, dimension, segment, outcome, count(effect) as measured_account_count,
        count(*) filter (verdict = 'better') as better_account_count,
        count(*) filter (verdict = 'worse') as worse_account_count,
        sum(log_effect / nullif(log_error * log_error, 0))
            / sum(1 / nullif(log_error * log_error, 0)) as log_common,
        1 / sqrt(sum(1 / nullif(log_error * log_error, 0))) as log_common_error,
        sum(n * log_mean) / sum(n) as log_pooled,
        sum(n * (log_mean - account_mean)) / sum(n) as log_within
    from segment_effects
    group by all
)
select own.account_name, own.platform, own.dimension, own.segment, own.outcome, own.n, own.effect,
    own.effect_low, own.effect_high, own.verdict, common.* exclude (
        platform, dimension, segment, outcome
    ),
    case
        when measured_account_count < 2 then 'not_enough_data'
        when abs(log_common) > 2.576 * log_common_error and better_account_count = 0
            or abs(log_common) > 2.576 * log_common_error and worse_account_count = 0
            then 'universal'
        when better_account_count + worse_account_count > 0 then 'account_specific'
        else 'no_clear_difference'
    end as scope
from segment_effects as own
inner join common using (platform, dimension, segment, outcome);

create table mart_platform_comparison as
with usual as (
    select account_name, platform, outcome, count(*) as n, median(value) as median,
        avg(log_value) as log_mean, var_samp(log_value) as log_variance
    from outcomes
    group by all
)
select a.account_name, a.platform, b.platform as other_platform, a.outcome, a.n, b.n as n_other,
    a.median, b.median as median_other, exp(a.log_mean - b.log_mean) as ratio,
    1.645 * sqrt(a.log_variance / a.n + b.log_variance / b.n) as half_width
from usual as a
inner join usual as b
    on a.account_name = b.account_name and a.outcome = b.outcome and a.platform <> b.platform;

create table fct_post_factor as
with own as (
    select *,
        median(value) over account as usual_value,
        quantile_cont(value, 0.1) over account as usual_low,
        quantile_cont(value, 0.9) over account as usual_high,
        count(*) over account as peer_count
    from outcomes
    window account as (partition by account_name, platform, outcome)
)
select account_name, platform, post_id, outcome as factor_type, cast(null as varchar) as segment,
    case when value > usual_high then 'success' else 'failure' end as kind, peer_count as n,
    value / nullif(usual_value, 0) - 1 as impact,
    format('{:.2f} times the usual {}', value / nullif(usual_value, 0), outcome) as title
from own
where peer_count >= 10 and (value > usual_high or value < usual_low)
union all
select account_name, platform, post_id, dimension, segment,
    case verdict when 'better' then 'success' else 'failure' end, n, effect - 1,
    format('{} posts get {:.2f} times the usual {}', segment, effect, outcome)
from segments
inner join segment_effects using (account_name, platform, dimension, segment)
where verdict in ('better', 'worse')
qualify row_number() over (
    partition by account_name, platform, post_id, dimension order by abs(log_effect) desc, outcome
) = 1;
