-- The raw schema: what sources answered, row for row, and what people configured.
-- Constant or no defaults only: DuckDB replays DDL after a crash.

-- Grain: one scrape (one answer of one source for one profile); the landing manifest.
create table if not exists raw.scrapes (
    scrape_id varchar not null primary key,
    platform varchar not null,
    account_name varchar not null,
    handle varchar,
    source varchar not null,             -- 'apify', 'youtube', 'import' or 'native'
    source_kind varchar not null,        -- 'posts', 'profiles', 'direct', 'export', …
    actor_id varchar,
    run_id varchar,
    run_status varchar,
    outcome varchar not null,            -- 'items', 'empty', 'partial', 'schema_drift'
    input varchar,                       -- JSON text of the actor's input
    started_at timestamptz,
    finished_at timestamptz,
    scraped_at timestamptz not null,
    scraped_at_source varchar not null,  -- 'run', 'given', 'file_name', 'file_time'
    items_asked bigint,
    items_got bigint not null,
    post_count bigint not null,
    foreign_post_count bigint not null,
    profile_count bigint not null,
    rejected_count bigint not null,
    cost_usd decimal(12, 6),
    is_any_author boolean not null,
    items_sha256 varchar not null,
    landing_path varchar not null,       -- relative to the landing folder
    original_file varchar,
    run_outcome varchar,                 -- what the run said; null for imports
    status_message varchar,              -- the platform's words about the run
    drift varchar                        -- JSON text: how the rows break the source's contract
);

-- Grain: one item of one scrape that is a post, a post of another author, or a profile.
create table if not exists raw.scrape_items (
    scrape_id varchar not null,
    item_index integer not null,
    platform varchar not null,
    account_name varchar not null,
    item_kind varchar not null,          -- 'post', 'foreign_post', 'profile'
    post_id varchar,
    scraped_at timestamptz not null,
    payload varchar not null             -- JSON text, nested as the actor's own schema
);

-- Grain: one item of one scrape that could not be used, with the reason.
create table if not exists raw.rejected_items (
    scrape_id varchar not null,
    item_index integer not null,
    platform varchar not null,
    account_name varchar not null,
    scraped_at timestamptz not null,
    reason varchar not null,
    payload varchar not null
);

-- Grain: one metric value of one post or of one account day, as one native export has it.
create table if not exists raw.native_metrics (
    account_name varchar not null,
    platform varchar not null,
    scope varchar not null,              -- 'post' or 'account'
    post_id varchar,                     -- null for the account
    day date,                            -- null for a value since publication
    metric varchar not null,             -- our name for it
    value double,                        -- null where the export has none
    unit varchar not null,               -- 'count', 's', 'fraction', 'usd'
    source_label varchar not null,       -- the export's name for it
    exported_at timestamptz not null,
    scrape_id varchar not null
);

-- Grain: one account.
create table if not exists raw.accounts (
    account_name varchar not null,
    display_name varchar,
    niche varchar,
    timezone varchar not null,
    default_slide_count integer
);

-- Grain: one account and platform.
create table if not exists raw.account_profiles (
    account_name varchar not null,
    platform varchar not null,
    handle varchar not null
);

-- Grain: one name that an account lists, per dimension ('format', 'pillar', 'topic', 'cta').
create table if not exists raw.account_segments (
    account_name varchar not null,
    dimension varchar not null,
    segment varchar not null
);

-- Grain: one planned post (one folder under accounts/<name>/output/).
create table if not exists raw.planned_posts (
    account_name varchar not null,
    planned_id varchar not null,
    platform varchar,
    planned_at timestamptz,
    topic varchar,
    format varchar,
    pillar varchar,
    hook_text varchar,
    hook_score double,
    slide_count integer,
    cta varchar,
    caption varchar,
    context_id varchar,
    pick_probability double,
    hook_style varchar,
    ai_confidence double,
    source_credibility double,
    content_quality_score double,
    experiment_id varchar,
    experiment_arm varchar,
    assignment_id varchar
);
alter table raw.planned_posts add column if not exists hook_style varchar;
alter table raw.planned_posts add column if not exists ai_confidence double;
alter table raw.planned_posts add column if not exists source_credibility double;
alter table raw.planned_posts add column if not exists content_quality_score double;
alter table raw.planned_posts add column if not exists experiment_id varchar;
alter table raw.planned_posts add column if not exists experiment_arm varchar;
alter table raw.planned_posts add column if not exists assignment_id varchar;

-- Grain: one post and planned post that belong together.
create table if not exists raw.post_matches (
    account_name varchar not null,
    platform varchar not null,
    post_id varchar not null,
    planned_id varchar not null,
    score double not null,               -- 0 to 1
    match_source varchar                 -- 'text' or 'person'
);
alter table raw.post_matches add column if not exists match_source varchar;

-- Grain: one label of one post, per dimension
-- ('format', 'pillar', 'topic', 'hook_style', 'cta').
create table if not exists raw.post_labels (
    account_name varchar not null,
    platform varchar not null,
    post_id varchar not null,
    dimension varchar not null,
    label varchar not null,
    label_source varchar not null        -- 'person', 'planned', 'rule' or 'model'
);

-- Grain: one recommendation, copied from the state database.
create table if not exists raw.state_recommendations (
    recommendation_id varchar not null,
    account_name varchar not null,
    created_at timestamptz not null,
    status varchar not null,
    category varchar not null,
    target varchar not null,
    confidence varchar not null,
    insight varchar not null,
    proposed_change varchar not null,
    writer varchar not null,
    warehouse_version varchar not null,
    writer_reason varchar,               -- why the rules wrote although a model was asked
    model varchar,
    input_tokens bigint,                 -- its part of what the model's answers used
    output_tokens bigint,
    cost_usd decimal(18, 8)
);

-- Grain: one question to the language model, copied from the state database.
create table if not exists raw.state_model_calls (
    call_id varchar not null,
    account_name varchar not null,
    purpose varchar not null,            -- 'recommendations' or 'caption_labels'
    asked_at timestamptz not null,
    model varchar not null,
    prompt_sha256 varchar not null,
    reserved_usd decimal(18, 8),
    batch_id varchar,                    -- the service's; null when asked alone
    answered_at timestamptz,
    outcome varchar,                     -- null while nothing is known, and for captions
    reason varchar,
    lost_count integer not null,         -- answers that got lost and may have been billed on top
    input_tokens bigint,
    output_tokens bigint,
    cost_usd decimal(18, 8)              -- null when it is not known
);

-- Grain: one decision, copied from the state database.
create table if not exists raw.state_decisions (
    decision_id varchar not null,
    recommendation_id varchar,
    account_name varchar not null,
    decision varchar not null,
    decided_by varchar not null,
    decided_at timestamptz not null,
    note varchar,
    context_id_before varchar,
    context_id_after varchar
);

-- Grain: one approved change and what it will be judged by, copied from the state database.
create table if not exists raw.state_verdict_registrations (
    recommendation_id varchar not null,
    account_name varchar not null,
    registered_at timestamptz not null,
    platform varchar not null,
    dimension varchar not null,
    segment varchar not null,
    outcome varchar not null,
    direction varchar not null,          -- 'better' or 'worse'
    smallest_useful_ratio double not null,
    horizon_days integer not null,
    control_shares varchar not null,     -- JSON text: share of each other segment
    context_id_before varchar not null,
    context_id_after varchar not null,
    rule varchar not null,
    posts_per_week double,
    expected_share_decided double,
    sha256 varchar not null
);

-- Grain: one thing that somebody said about one planned post, copied from the state database.
create table if not exists raw.state_feedback (
    account_name varchar not null,
    planned_id varchar not null,
    sequence integer not null,           -- the highest of a planned post counts
    feedback varchar not null,           -- 'approve', 'reject' or 'edit'
    note varchar,
    given_by varchar not null,
    given_at timestamptz not null
);

-- Grain: one prediction, copied from the state database.
create table if not exists raw.state_predictions (
    prediction_id varchar not null,
    account_name varchar not null,
    platform varchar not null,
    target varchar not null,             -- 'views_7d' or 'engagement_rate_7d'
    planned_id varchar,
    post_id varchar,
    predicted_at timestamptz not null,
    planned_at timestamptz not null,     -- when the post is to go out, or went out
    expected double not null,
    low double not null,                 -- ends of the 80 % interval
    high double not null,
    quantiles varchar not null,          -- JSON text: value by level
    breakout_threshold double,           -- from which value on it would be a breakout
    breakout_probability double,
    baseline_expected double not null,   -- what the account's own quantiles say
    baseline_low double not null,
    baseline_high double not null,
    model_version varchar,               -- null where the account's own quantiles were served
    model_name varchar not null,
    features varchar not null,           -- JSON text: what went in
    factors varchar not null,            -- JSON text: what moved it
    warehouse_version varchar not null,
    sha256 varchar not null
);

-- Grain: one correction of the predictions of a segment's posts, copied from the state database.
create table if not exists raw.state_reflexion_adjustments (
    adjustment_id varchar not null,
    account_name varchar not null,
    platform varchar not null,
    target varchar not null,
    dimension varchar not null,
    segment varchar not null,
    factor double not null,              -- from 0.5 to 1.5
    proposed_at timestamptz not null,
    status varchar not null,             -- 'proposed', 'applied' or 'ended'
    applied_at timestamptz,
    ended_at timestamptz,
    evidence varchar not null,           -- JSON text
    recommendation_id varchar
);

-- Grain: one run that was meant to be paid for, copied from the state database.
create table if not exists raw.state_scrape_attempts (
    attempt_id varchar not null,
    account_name varchar not null,
    platform varchar not null,
    source_kind varchar not null,
    actor_id varchar not null,
    handle varchar,
    run_input varchar not null,          -- JSON text of the actor's input
    items_asked bigint,
    max_charge_usd decimal(12, 6) not null,
    intended_at timestamptz not null,
    run_id varchar,
    run_status varchar,
    outcome varchar,                     -- null while nothing is known
    message varchar,
    items_got bigint,
    post_count bigint,
    new_post_count bigint,
    cost_usd decimal(12, 6),
    finished_at timestamptz,             -- null until the end is known
    scrape_id varchar
);
