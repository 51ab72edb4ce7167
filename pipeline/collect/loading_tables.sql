-- The loading schema: what loads remember, so that the next one looks only at what is new.
-- Everything in it can be lost: then it is made anew from the raw tables, plans and people's words.

-- Grain: one row. Under another program the rest is made anew.
create table if not exists loading.program (
    fingerprint varchar not null
);

-- Grain: one loaded scrape whose manifest is known as it is on disk.
create table if not exists loading.manifests (
    scrape_id varchar not null,
    file_stamp varchar not null
);

-- Grain: one loaded scrape whose posts are not in own_posts yet.
create table if not exists loading.unread_scrapes (
    scrape_id varchar not null
);

-- Grain: one account whose own_posts have to be read anew from all its scrapes.
create table if not exists loading.unread_accounts (
    account_name varchar not null
);

-- Grain: one of the account's own posts as its newest scrape shows it.
create table if not exists loading.own_posts (
    account_name varchar not null,
    platform varchar not null,
    post_id varchar not null,
    scraped_at timestamptz not null,
    scrape_id varchar not null,
    item_index integer not null,
    posted_at timestamptz,
    caption varchar,
    is_labelled boolean not null         -- its labels are those of this caption
);

-- Grain: one folder of a planned post.
create table if not exists loading.plan_folders (
    account_name varchar not null,
    planned_id varchar not null,
    file_stamp varchar,                  -- null: read it again, it was written a moment before
    problem varchar                      -- why it could not be read
);

-- Grain: one account as it was configured when its posts were labelled.
create table if not exists loading.accounts (
    account_name varchar not null,
    fingerprint varchar not null
);

-- Grain: one word of a person: about a post's plan, or its label in one dimension.
create table if not exists loading.person_words (
    account_name varchar not null,
    platform varchar not null,
    post_id varchar not null,
    dimension varchar,                   -- null: about the plan
    said varchar                         -- null: none
);

-- Grain: one question to the model whose answers are in the labels.
create table if not exists loading.model_batches (
    batch_id varchar not null
);

-- Grain: one local day of one account and platform that was looked at for matching.
create table if not exists loading.scored_days (
    account_name varchar not null,
    platform varchar not null,
    day date not null,
    fingerprint varchar not null
);

-- Grain: one plan and post that may belong together.
create table if not exists loading.pair_scores (
    account_name varchar not null,
    platform varchar not null,
    planned_id varchar not null,
    post_id varchar not null,
    score double not null
);

-- Grain: one row, once the raw tables were copied to a lake. Another one says that they are others.
create table if not exists loading.lake (
    generation varchar not null
);
