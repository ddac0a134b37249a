-- What every module stands on: the tenant's scope, versions, the outbox, the inbox, jobs, idempotency keys.

create extension if not exists pg_trgm;
create extension if not exists unaccent;
create extension if not exists btree_gin;

create schema platform;
grant usage on schema platform to rapport_app;

-- The workspace that the current transaction is scoped to; null outside of any, and then no tenant's row is visible.
create function platform.workspace_id() returns uuid
  language sql stable parallel safe
  return nullif(current_setting('rapport.workspace_id', true), '')::uuid;

-- Puts a table under row-level security and gives the application its rights.
create procedure platform.protect(target regclass)
  language plpgsql as $$
begin
  execute format('alter table %s enable row level security', target);
  execute format(
    'create policy tenant on %s using (workspace_id = (select platform.workspace_id())) '
    'with check (workspace_id = (select platform.workspace_id()))', target);
  execute format('grant select, insert, update, delete on %s to rapport_app', target);
end $$;

-- Append-only tables: rows come, and never change.
create procedure platform.protect_ledger(target regclass)
  language plpgsql as $$
begin
  call platform.protect(target);
  execute format('revoke update, delete on %s from rapport_app', target);
end $$;

-- Counts a record's versions (its ETag). Attach with `before update of <the columns that people edit>`, so that a counter does not make
-- an editor's copy stale.
create function platform.touch() returns trigger language plpgsql as $$
begin
  new.version := old.version + 1;
  new.updated_at := now();
  return new;
end $$;

-- Immutable, so that expression indexes may use it: what search compares.
create function platform.fold(input text) returns text
  language sql immutable parallel safe strict
  return lower(public.unaccent('public.unaccent'::regdictionary, input));

-- No tenant policy on the four tables below: the relay and the queue work across workspaces, and hold ids and payloads
-- only for that. Each row names its workspace, and whoever acts on it enters that workspace's scope first.
create table platform.outbox (
  seq bigint generated always as identity primary key,
  id uuid not null unique,
  workspace_id uuid not null,
  event text not null,
  subject text not null,
  data jsonb not null,
  created_at timestamptz not null default now(),
  relayed_at timestamptz,
  attempts int not null default 0,
  next_attempt_at timestamptz not null default now(),
  error text,
  failed_at timestamptz
);
create index outbox_waiting on platform.outbox (seq) where relayed_at is null and failed_at is null;
create index outbox_blocking on platform.outbox (workspace_id, subject, seq)
  where relayed_at is null and failed_at is null and attempts > 0;
create index outbox_failed on platform.outbox (workspace_id, seq) where failed_at is not null;
create index outbox_relayed on platform.outbox (relayed_at) where relayed_at is not null;
grant select, insert, update, delete on platform.outbox to rapport_app;

create table platform.inbox (
  consumer text not null,
  event_id uuid not null,
  handled_at timestamptz not null default now(),
  primary key (consumer, event_id)
);
create index inbox_handled on platform.inbox (handled_at);
grant select, insert, delete on platform.inbox to rapport_app;

create table platform.jobs (
  workspace_id uuid not null,
  id uuid not null,
  kind text not null,
  status text not null default 'queued'
    constraint job_status check (status in ('queued', 'running', 'succeeded', 'failed', 'canceled')),
  data jsonb not null,
  cursor jsonb,
  progress_done bigint not null default 0,
  progress_total bigint,
  result jsonb,
  error text,
  attempts int not null default 0,
  cancel_requested_at timestamptz,
  created_by uuid,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id)
);
create index jobs_by_time on platform.jobs (workspace_id, created_at desc, id);
call platform.protect('platform.jobs');

create table platform.idempotency_keys (
  workspace_id uuid not null,
  route text not null,
  key text not null,
  body_hash text not null,
  status int not null,
  headers jsonb not null,
  body text not null,
  created_at timestamptz not null default now(),
  primary key (workspace_id, route, key)
);
create index idempotency_age on platform.idempotency_keys (created_at);
call platform.protect('platform.idempotency_keys');
