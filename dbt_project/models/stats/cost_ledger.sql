-- Grain: one row per account, local day and source that was asked (an actor, or the model and why).
with

-- A run costs once, however many attempts it answered.
attempts as (

    select
        account_name,
        actor_id as source,
        run_id,
        min(intended_at) as asked_at,
        max(cost_usd) as cost_usd
    from {{ source('raw', 'state_scrape_attempts') }}
    group by account_name, actor_id, run_id, coalesce(run_id, attempt_id)

),

-- Runs whose answer landed before there was a ledger, or whose ledger was lost.
landed_only as (

    select
        scrapes.account_name,
        scrapes.actor_id as source,
        scrapes.run_id,
        coalesce(scrapes.started_at, scrapes.scraped_at) as asked_at,
        scrapes.cost_usd
    from {{ source('raw', 'scrapes') }} as scrapes
    left join attempts on scrapes.run_id = attempts.run_id
    where scrapes.source = 'apify' and scrapes.actor_id is not null and attempts.run_id is null

),

runs as (

    select
        account_name,
        source,
        asked_at,
        cost_usd,
        case when cost_usd is null then 1 else 0 end as unpriced_count,
        cast(null as bigint) as input_tokens,
        cast(null as bigint) as output_tokens
    from attempts
    union all
    select
        account_name,
        source,
        asked_at,
        cost_usd,
        case when cost_usd is null then 1 else 0 end as unpriced_count,
        cast(null as bigint) as input_tokens,
        cast(null as bigint) as output_tokens
    from landed_only
    union all
    select
        account_name,
        'claude/' || purpose as source,
        asked_at,
        cost_usd,
        case when cost_usd is null then 1 else lost_count end as unpriced_count,
        input_tokens,
        output_tokens
    from {{ source('raw', 'state_model_calls') }}

),

local_runs as (

    select
        runs.account_name,
        runs.source,
        runs.cost_usd,
        runs.unpriced_count,
        runs.input_tokens,
        runs.output_tokens,
        cast({{ local_time('runs.asked_at', "coalesce(accounts.timezone, 'UTC')") }} as date)
            as local_date
    from runs
    left join {{ source('raw', 'accounts') }} as accounts
        on runs.account_name = accounts.account_name

)

select
    account_name,
    local_date,
    source,
    cast(sum(cost_usd) as decimal(18, 8)) as cost_usd,
    count(*) as run_count,
    cast(sum(unpriced_count) as bigint) as unpriced_run_count,
    cast(sum(input_tokens) as bigint) as input_tokens,
    cast(sum(output_tokens) as bigint) as output_tokens
from local_runs
group by account_name, local_date, source
