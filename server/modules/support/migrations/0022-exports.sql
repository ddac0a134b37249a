-- Every export of tickets there was: who took what, when, and how much of it. The file lies in the store for a week; the row
-- stays.
create table support.exports (
  workspace_id uuid not null,
  id uuid not null,
  format text not null constraint export_format check (format in ('csv', 'xlsx', 'json')),
  request jsonb not null, -- columns, filter, sort and the like, as they were asked for
  ticket_ids uuid[], -- where tickets were chosen one by one
  tickets_chosen int,
  sees_all boolean not null, -- asked for by somebody who sees all tickets
  job_id uuid not null,
  file_key text,
  file_name text not null,
  rows bigint not null default 0,
  size_bytes bigint not null default 0,
  created_by uuid, -- a member's id, or a key's
  created_by_name text not null default '',
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  expires_at timestamptz, -- until when the file is kept
  deleted_at timestamptz, -- when its file was deleted by a person
  primary key (workspace_id, id)
);
create index exports_by_time on support.exports (workspace_id, created_at, id);
create index exports_by_asker on support.exports (workspace_id, created_by, created_at, id);
create index exports_kept on support.exports (workspace_id, expires_at) where file_key is not null;
call platform.protect('support.exports');
