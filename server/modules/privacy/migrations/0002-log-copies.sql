-- How far the outside log service has been told of a workspace's audit ledger.
create table privacy.log_copies (
  workspace_id uuid not null,
  number int not null,
  updated_at timestamptz not null default now(),
  primary key (workspace_id)
);
call platform.protect('privacy.log_copies');
