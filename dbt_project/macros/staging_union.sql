{#
  The columns of every platform's staging models, by entity. A platform that does not tell one
  gives a null of its type.
#}
{% macro staging_columns(entity) -%}
    {{ return({
        'posts': [
            'scrape_id', 'item_index', 'item_kind', 'account_name', 'platform', 'post_id',
            'author_id', 'author_handle', 'caption', 'post_url', 'media_type', 'slide_count',
            'duration_s', 'is_pinned', 'is_ad', 'audio_id', 'view_count', 'video_view_count',
            'like_count', 'comment_count', 'share_count', 'save_count', 'repost_count',
            'is_like_count_hidden', 'follower_count', 'posted_at', 'scraped_at',
        ],
        'profiles': [
            'scrape_id', 'item_index', 'account_name', 'platform', 'handle', 'profile_id',
            'follower_count', 'following_count', 'post_count', 'like_count_total', 'is_verified',
            'is_private', 'scraped_at',
        ],
    }[entity]) }}
{%- endmacro %}

{#
  All platforms' staging models of one entity ('posts', 'profiles'), one below the other, with all
  of its columns or those that are named.

  The names come from the variable `platforms`, which the pipeline fills with the folders under
  models/staging, so that a new platform is a folder and no line here.
#}
{% macro staging_union(entity, columns=none) -%}
    {%- for platform in var('platforms') %}
    select
        {{ (columns or staging_columns(entity)) | join(', ') }}
    from {{ ref('stg_' ~ platform ~ '__' ~ entity) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
