-- Files that came in, the imports made of them, the rows that failed, and what an undo needs.

create table contacts.import_uploads (
  workspace_id uuid not null,
  id uuid not null,
  file_key text not null,
  file_name text not null,
  size_bytes bigint not null,
  encoding text not null,
  lines bigint not null, -- line ends: about the number of records
  created_by uuid,
  created_at timestamptz not null default now(),
  primary key (workspace_id, id)
);
create index import_uploads_age on contacts.import_uploads (created_at);
call platform.protect('contacts.import_uploads');

create table contacts.imports (
  workspace_id uuid not null,
  id uuid not null,
  upload_id uuid not null,
  job_id uuid,
  undo_job_id uuid,
  file_key text not null,
  file_name text not null,
  encoding text not null,
  delimiter text not null,
  newline text not null,
  has_header boolean not null,
  header text[] not null,
  targets text[] not null, -- by column; null: left out
  date_orders jsonb not null default '{}',
  country text, -- of phone numbers without one
  duplicates text not null constraint import_duplicates check (duplicates in ('skip', 'update', 'merge')),
  list_id uuid,
  tags text[] not null default '{}',
  consent jsonb,
  dry_run boolean not null default false,
  -- rows = created + updated + merged + skipped + failed, after every batch.
  rows bigint not null default 0,
  created bigint not null default 0,
  updated bigint not null default 0,
  merged bigint not null default 0,
  skipped bigint not null default 0,
  failed bigint not null default 0,
  -- Where the next batch begins, in characters of the decoded text; written with the batch before it.
  next_offset bigint not null default 0,
  next_line bigint not null default 1,
  bytes_done bigint not null default 0,
  bytes_total bigint not null,
  created_by uuid,
  created_by_name text not null default '',
  created_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  undone_at timestamptz,
  primary key (workspace_id, id),
  constraint import_counts check (rows = created + updated + merged + skipped + failed)
);
create index imports_by_time on contacts.imports (workspace_id, created_at, id);
create index imports_upload on contacts.imports (workspace_id, upload_id);
call platform.protect('contacts.imports');

create table contacts.import_errors (
  workspace_id uuid not null,
  import_id uuid not null,
  line bigint not null,
  error_column text,
  code text not null,
  detail text not null,
  cells text[] not null,
  primary key (workspace_id, import_id, line),
  constraint import_error_import foreign key (workspace_id, import_id) references contacts.imports on delete cascade
);
call platform.protect('contacts.import_errors');

-- What an import changed of a contact that it found: the values before, the version it left, the tags, list and consent
-- it added.
create table contacts.import_changes (
  workspace_id uuid not null,
  import_id uuid not null,
  contact_id uuid not null,
  version_after int,
  before jsonb,
  tags_added uuid[] not null default '{}',
  listed boolean not null default false,
  subscribed text[] not null default '{}',
  primary key (workspace_id, import_id, contact_id),
  constraint import_change_import foreign key (workspace_id, import_id) references contacts.imports on delete cascade,
  constraint import_change_contact foreign key (workspace_id, contact_id) references contacts.contacts on delete cascade
);
create index import_changes_contact on contacts.import_changes (workspace_id, contact_id);
call platform.protect('contacts.import_changes');
