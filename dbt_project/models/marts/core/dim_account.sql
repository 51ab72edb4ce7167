-- Grain: one row per account.
select
    account_name,
    display_name,
    niche,
    timezone
from {{ source('raw', 'accounts') }}
