-- Whose a row was before its contact was merged into another one, so that it can go back. `content` is what else was changed.
create table communication.merged_rows (
  workspace_id uuid not null,
  merge_id uuid not null,
  table_name text not null,
  row_key text not null,
  contact_id uuid not null,
  content jsonb,
  noted_at timestamptz not null default now(),
  primary key (workspace_id, merge_id, table_name, row_key)
);
create index merged_rows_contact on communication.merged_rows (workspace_id, contact_id);
create index merged_rows_age on communication.merged_rows (workspace_id, noted_at);
call platform.protect('communication.merged_rows');
