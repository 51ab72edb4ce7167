-- The yardstick of pipeline_speed: the marts, straight from the landing files, in plain DuckDB.
-- {rows} and {manifests} are globs of the landing folder. The table accounts is there already:
-- account_name, handle, timezone, and formats, pillars, topics and ctas as lists of words.

create table scrapes as
select
    scrape_id, account_name, platform, source, source_kind, outcome, run_outcome, scraped_at
from read_json('{manifests}', columns = {
    scrape_id: 'varchar', account_name: 'varchar', platform: 'varchar', source: 'varchar',
    source_kind: 'varchar', outcome: 'varchar', run_outcome: 'varchar', scraped_at: 'timestamptz'
});

create table items as
select
    rows.filename.parse_filename().split_part('.', 1) as scrape_id,
    rows.* exclude (filename)
from read_json('{rows}', format = 'newline_delimited', filename = true, columns = {
    id: 'varchar', text: 'varchar', createTimeISO: 'timestamptz', isAd: 'boolean',
    isPinned: 'boolean', isSlideshow: 'boolean', slideshowImageLinks: 'json[]',
    musicMeta: 'struct("musicId" varchar)', videoMeta: 'struct(duration double)',
    webVideoUrl: 'varchar',
    authorMeta: 'struct(id varchar, "name" varchar, fans bigint, "following" bigint, video bigint, heart bigint)',
    diggCount: 'bigint', shareCount: 'bigint', playCount: 'bigint', collectCount: 'bigint',
    commentCount: 'bigint', repostCount: 'bigint'
}) as rows;

create table snapshots as
select
    scrapes.account_name,
    scrapes.platform,
    items.id as post_id,
    scrapes.scraped_at,
    items.scrape_id,
    items.text as caption,
    items.webVideoUrl as post_url,
    items.authorMeta.name as author_handle,
    case when items.isSlideshow then 'carousel' else 'video' end as media_type,
    case when items.isSlideshow then len(items.slideshowImageLinks) end as slide_count,
    case when not items.isSlideshow then items.videoMeta.duration end as duration_s,
    items.isPinned as is_pinned,
    items.isAd as is_ad,
    items.musicMeta.musicId as audio_id,
    items.createTimeISO as posted_at,
    (epoch(scrapes.scraped_at) - epoch(items.createTimeISO)) / 3600 as age_hours,
    items.playCount as view_count,
    items.diggCount as like_count,
    items.commentCount as comment_count,
    items.shareCount as share_count,
    items.collectCount as save_count,
    items.repostCount as repost_count
from items
inner join scrapes on items.scrape_id = scrapes.scrape_id
inner join accounts
    on scrapes.account_name = accounts.account_name and items.authorMeta.name = accounts.handle;

-- A post that stands twice for a moment. Asked of the keys alone: wide rows are slow to sort.
delete from snapshots where rowid in (
    select rowid
    from snapshots
    qualify row_number() over (
        partition by account_name, platform, post_id, scraped_at order by scrape_id desc
    ) > 1
);

create table fct_profile_snapshot as
select
    scrapes.account_name,
    scrapes.platform,
    scrapes.scraped_at,
    any_value(items.authorMeta.id) as profile_id,
    any_value(items.authorMeta.name) as handle,
    max(items.authorMeta.fans) as follower_count,
    max(items.authorMeta.following) as following_count,
    max(items.authorMeta.video) as post_count,
    max(items.authorMeta.heart) as like_count_total
from items
inner join scrapes on items.scrape_id = scrapes.scrape_id
group by all;

drop table items;

create table fct_snapshot as
select
    account_name, platform, post_id, scraped_at, scrape_id, age_hours, view_count, like_count,
    comment_count, share_count, save_count, repost_count,
    coalesce(
        view_count < lag(view_count) over post or like_count < lag(like_count) over post
        or comment_count < lag(comment_count) over post
        or share_count < lag(share_count) over post or save_count < lag(save_count) over post,
        false
    ) as has_count_drop
from snapshots
window post as (partition by account_name, platform, post_id order by scraped_at);

create table dim_account as select account_name, timezone from accounts;

create table dim_profile as
select
    account_name, platform,
    max_by(handle, scraped_at) as handle,
    max_by(profile_id, scraped_at) as profile_id,
    max_by(follower_count, scraped_at) as follower_count,
    min(scraped_at) as first_seen_at,
    max(scraped_at) as last_seen_at
from fct_profile_snapshot
group by all;

create table fct_follower_day as
select
    *,
    follower_count - lag(follower_count) over (
        partition by account_name, platform order by local_date
    ) as follower_change
from (
    select
        account_name, platform,
        cast(timezone(timezone, scraped_at) as date) as local_date,
        max_by(follower_count, scraped_at) as follower_count
    from fct_profile_snapshot
    inner join accounts using (account_name)
    group by all
);

create table newest as
select
    account_name, platform, post_id,
    max(scraped_at) as scraped_at,
    max_by(caption, scraped_at) as caption,
    max_by(post_url, scraped_at) as post_url,
    max_by(author_handle, scraped_at) as author_handle,
    max_by(is_pinned, scraped_at) as is_pinned,
    max_by(is_ad, scraped_at) as is_ad,
    max_by(audio_id, scraped_at) as audio_id,
    max_by(media_type, scraped_at) as media_type,
    max_by(slide_count, scraped_at) as slide_count,
    max_by(duration_s, scraped_at) as duration_s,
    min(posted_at) as posted_at,
    max_by(age_hours, scraped_at) as age_hours,
    max_by(view_count, scraped_at) as view_count,
    max_by(like_count, scraped_at) as like_count,
    max_by(comment_count, scraped_at) as comment_count,
    max_by(share_count, scraped_at) as share_count,
    max_by(save_count, scraped_at) as save_count,
    min(scraped_at) as first_seen_at,
    count(*) as snapshot_count
from snapshots
group by all;

create table dim_post as
select
    newest.*,
    timezone(accounts.timezone, posted_at) as local_posted_at,
    isodow(local_posted_at) as local_weekday,
    hour(local_posted_at) as local_hour,
    case
        when local_hour < 6 then 'night'
        when local_hour < 10 then 'morning'
        when local_hour < 14 then 'midday'
        when local_hour < 18 then 'afternoon'
        when local_hour < 21 then 'evening'
        else 'late'
    end as daypart,
    list_filter(accounts.formats, lambda word: contains(newest.caption, word))[1]
        as format,
    list_filter(accounts.pillars, lambda word: contains(newest.caption, word))[1]
        as pillar,
    list_filter(accounts.topics, lambda word: contains(newest.caption, word))[1]
        as topic,
    list_filter(accounts.ctas, lambda word: contains(newest.caption, word))[1]
        as cta,
    cast(null as double) as hook_score,
    lower(split_part(newest.caption, '#', 1)) as hook,
    case
        when hook like '%?%' then 'question'
        when regexp_matches(hook, '^[0-9]') then 'number_specific'
        when regexp_matches(hook, '\b(stop|never|wrong|myth)\b') then 'controversy_light'
        when regexp_matches(hook, '\bhow (to|i|we)\b') then 'how_to'
        when regexp_matches(hook, '\b(i|my|me|we|our)\b') then 'personal_story'
        else 'statement'
    end as hook_style
from newest
inner join accounts using (account_name);

-- Between the two snapshots around an age, ln(1 + count) is linear in ln(age).
create table at_ages as
with around as (
    select
        account_name, platform, post_id, age, max_gap,
        max(age_hours) filter (age_hours <= age) as age_before,
        min(age_hours) filter (age_hours >= age) as age_after
        {each: , max_by({m}_count, age_hours) filter (age_hours <= age) as {m}_before,
        min_by({m}_count, age_hours) filter (age_hours >= age) as {m}_after}
    from snapshots
    inner join (values (24, 30), (72, 60), (168, 120), (672, 336)) as ages (age, max_gap)
        on snapshots.age_hours between age - max_gap and age + max_gap and age_hours > 0
    group by all
)
select
    account_name, platform, post_id, age
    {each: , case
        when age_after = age_before then {m}_before
        else exp(
            ln(1 + {m}_before) + (ln(1 + {m}_after) - ln(1 + {m}_before))
            * (ln(age) - ln(age_before)) / (ln(age_after) - ln(age_before))
        ) - 1
    end as {m}_count}
from around
where age_after - age_before <= max_gap;

create table fct_post_performance as
with wide as (
    select
        account_name, platform, post_id
        {ages: , max(view_count) filter (age = {a}) as view_{a},
        max(like_count + comment_count + share_count + save_count) filter (age = {a}) as engagement_{a},
        max(save_count) filter (age = {a}) as save_{a},
        max(share_count) filter (age = {a}) as share_{a}}
    from at_ages
    group by all
),
followers as (
    select posts.account_name, posts.platform, posts.post_id,
        max_by(profiles.follower_count, profiles.scraped_at) as follower_count_at_posting
    from dim_post as posts
    inner join fct_profile_snapshot as profiles
        on posts.account_name = profiles.account_name and posts.platform = profiles.platform
        and posts.posted_at >= profiles.scraped_at
    group by all
),
joined as (
    select
        posts.account_name, posts.platform, posts.post_id, posts.posted_at, posts.media_type,
        posts.is_ad, posts.format, posts.pillar, posts.topic, posts.hook_style, posts.cta,
        posts.slide_count, posts.local_weekday, posts.daypart, posts.age_hours, posts.view_count, posts.like_count,
        posts.comment_count, posts.share_count, posts.save_count,
        like_count + comment_count + share_count + save_count as engagement_count,
        wide.* exclude (account_name, platform, post_id),
        followers.follower_count_at_posting
    from dim_post as posts
    left join wide using (account_name, platform, post_id)
    left join followers using (account_name, platform, post_id)
),
scored as (
    select
        account_name, platform, post_id,
        percent_rank() over (peers order by view_168) as reach_percentile,
        percent_rank() over (peers order by engagement_168 / nullif(view_168, 0)) as engagement_percentile,
        percent_rank() over (peers order by save_168 / nullif(view_168, 0)) as save_percentile,
        percent_rank() over (peers order by share_168 / nullif(view_168, 0)) as share_percentile,
        view_168 / median(view_168) over peers as outlier_multiple
    from joined
    where view_168 is not null
    window peers as (partition by account_name, platform)
)
select
    joined.*,
    engagement_count / nullif(view_count, 0) as engagement_rate_views,
    engagement_count / nullif(follower_count_at_posting, 0) as engagement_rate_followers,
    save_count / nullif(view_count, 0) as save_rate,
    share_count / nullif(view_count, 0) as share_rate,
    25 * (reach_percentile + engagement_percentile + save_percentile + share_percentile) as score,
    case when score > 75 then 'over' when score >= 40 then 'normal' when score < 40 then 'under' end
        as category,
    case
        when engagement_rate_views >= 0.05 and engagement_count >= 50 then 'high'
        when engagement_rate_views >= 0.02 and engagement_count >= 20 then 'medium'
        when engagement_rate_views is not null then 'low'
    end as tier,
    outlier_multiple,
    case
        when age_hours < 168 then 'too_young'
        when view_672 >= 1.25 * view_168 then 'long_tail'
        when view_24 >= 0.8 * view_168 then 'spike'
        when view_24 is not null then 'steady'
    end as growth_shape
from joined
left join scored using (account_name, platform, post_id);

create table fct_post_listing as
with listings as (
    select
        scrapes.account_name, scrapes.platform, scrapes.scrape_id, scrapes.scraped_at,
        min(snapshots.posted_at) as oldest_posted_at
    from scrapes
    inner join snapshots on scrapes.scrape_id = snapshots.scrape_id
    where scrapes.source_kind = 'posts' and scrapes.run_outcome in ('new_posts', 'no_new_posts')
        and not snapshots.is_pinned
    group by all
),
last_listing as (
    select account_name, platform, max(scraped_at) as newest_listing_at
    from listings group by all
),
missed as (
    select posts.account_name, posts.platform, posts.post_id, count(*) as missed_listing_count
    from dim_post as posts
    inner join listings
        on posts.account_name = listings.account_name and posts.platform = listings.platform
        and posts.scraped_at < listings.scraped_at and posts.posted_at > listings.oldest_posted_at
    group by all
)
select
    posts.account_name, posts.platform, posts.post_id,
    case
        when posts.scraped_at >= newest_listing_at then 'listed'
        when missed_listing_count >= 1 then 'missing'
        else 'outside_window'
    end as listing_state,
    missed_listing_count, newest_listing_at
from dim_post as posts
inner join last_listing using (account_name, platform)
left join missed using (account_name, platform, post_id);

{segments: create table mart_{d}_performance as
select
    account_name, platform, {d},
    count(*) as post_count,
    count(view_168) as post_count_views_7d,
    count(engagement_168) as post_count_engagement_7d,
    quantile_cont(view_168, [0.25, 0.5, 0.75]) as view_7d_quartiles,
    median(engagement_168) as engagement_7d_median,
    avg(ln(1 + view_168)) as log_view_7d_mean,
    var_samp(ln(1 + view_168)) as log_view_7d_variance,
    sum(engagement_168) / nullif(sum(view_168), 0) as engagement_rate_7d,
    sum(save_168) / nullif(sum(view_168), 0) as save_rate_7d,
    count(*) / sum(count(*)) over (partition by account_name, platform) as share_of_posts,
    sum(engagement_168) / sum(sum(engagement_168)) over (partition by account_name, platform)
        as share_of_engagement_7d,
    sum(save_168) / sum(sum(save_168)) over (partition by account_name, platform)
        as share_of_saves_7d
from fct_post_performance
where {d} is not null
group by account_name, platform, {d};}

create table mart_timing as
with relative as (
    select
        *, view_168 / median(view_168) over (partition by account_name, platform) as multiple
    from fct_post_performance
)
select
    account_name, platform, local_weekday, daypart, count(*) as post_count,
    count(multiple) as post_count_7d, median(multiple) as reach_multiple_median
from relative
group by all;

create table mart_growth_curves as
{curves: select
    account_name, platform, '{c}' as metric, {a} as age_hours,
    count({c}_{a} / {c}_168) as post_count,
    quantile_cont({c}_{a} / nullif({c}_168, 0), [0.1, 0.5, 0.9]) as share_of_7d
from fct_post_performance group by all};

-- What a young post will have at 7 days: its count times the account's usual growth since its age.
create table post_projection as
with usual as (
    select account_name, platform, median(view_168 / nullif(view_24, 0)) as from_24,
        median(view_168 / nullif(view_72, 0)) as from_72
    from fct_post_performance
    group by all
)
select account_name, platform, post_id, coalesce(view_72 * from_72, view_24 * from_24) as view_7d
from fct_post_performance
inner join usual using (account_name, platform)
where view_168 is null and age_hours < 168;
