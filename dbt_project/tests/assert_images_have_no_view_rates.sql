-- Instagram publishes no views of images and carousels, so nothing may be divided by them.
select *
from {{ ref('fct_post_performance') }}
where
    platform = 'instagram'
    and media_type in ('image', 'carousel')
    and (view_count is not null or engagement_rate_views is not null or save_rate is not null)
