-- Every export there was: who took what, when, and how much of it. The file lies in the store for a week; the row stays.

create table contacts.exports (
  workspace_id uuid not null,
  id uuid not null,
  delivery text not null constraint export_delivery check (delivery in ('download', 'file')),
  format text not null constraint export_format check (format in ('csv', 'xlsx', 'json', 'vcard')),
  request jsonb not null, -- fields, filter, sort and the like, as they were asked for
  contact_ids uuid[], -- where people were chosen one by one
  contacts_chosen int,
  list_id uuid,
  job_id uuid, -- of a file; a download has none
  status text constraint export_status check (status in ('running', 'succeeded', 'failed', 'canceled')), -- of a download
  file_key text,
  file_name text not null,
  rows bigint not null default 0,
  size_bytes bigint not null default 0,
  created_by uuid,
  created_by_name text not null default '',
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  expires_at timestamptz, -- until when the file is kept
  deleted_at timestamptz, -- when its file was deleted by a person or by time
  primary key (workspace_id, id)
);
create index exports_by_time on contacts.exports (workspace_id, created_at, id);
create index exports_kept on contacts.exports (workspace_id, expires_at) where file_key is not null;
call platform.protect('contacts.exports');
