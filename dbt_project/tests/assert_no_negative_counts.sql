-- A count below zero is a sentinel that slipped through, such as Instagram's -1 for hidden likes.
select *
from {{ ref('int_snapshots__published') }}
where
    {{ of_unchecked_scrapes('scrape_id', 'int_snapshots__published') }}
    and (
        view_count < 0
        or like_count < 0
        or comment_count < 0
        or share_count < 0
        or save_count < 0
        or repost_count < 0
        or video_view_count < 0
    )
