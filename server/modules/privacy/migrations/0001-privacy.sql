-- What people ask about their own data, and the record of who looked at or erased whose.

create schema privacy;
grant usage on schema privacy to rapport_app;

-- A request outlives the person it is about, so it names nobody: only keyed hashes, by which the same person is known
-- again. What the work needs to know meanwhile is sealed, and goes when it is done.
create table privacy.requests (
  workspace_id uuid not null,
  id uuid not null,
  kind text not null constraint request_kind check (kind in ('export', 'delete')),
  asked_by uuid,
  asked_by_name text not null default '',
  subject_hashes text[] not null,
  sealed text,
  contacts int not null,
  job_id uuid,
  report jsonb,
  file_key text,
  file_size bigint,
  file_until timestamptz,
  created_at timestamptz not null default now(),
  completed_at timestamptz,
  primary key (workspace_id, id)
);
create index requests_recent on privacy.requests (workspace_id, created_at, id);
create index requests_files on privacy.requests (workspace_id, file_until) where file_key is not null;
call platform.protect('privacy.requests');

-- Rows come, and never change. Each carries the keyed hash of the one before, so that a row which was altered, left out or
-- slipped in by whoever has the database but not the key is found.
create table privacy.audit_entries (
  workspace_id uuid not null,
  number int not null,
  id uuid not null,
  action text not null,
  actor_kind text not null,
  actor_id uuid,
  actor_name text not null default '',
  subject_hash text not null,
  request_id uuid,
  details jsonb not null default '{}',
  created_at timestamptz not null,
  hash text not null,
  primary key (workspace_id, number)
);
create index audit_recent on privacy.audit_entries (workspace_id, created_at, id);
call platform.protect_ledger('privacy.audit_entries');
