-- Several records of one person become one, and can be several again: see docs/decisions/0027.

-- A merged contact is a deleted one that says who it is now. The pointer is always to a contact that is not merged itself:
-- when that one is merged in its turn, all pointers to it move on. `merged_at` is when the present survivor got it.
alter table contacts.contacts
  add column merged_into uuid,
  add column merged_at timestamptz,
  add constraint contact_merged_into foreign key (workspace_id, merged_into) references contacts.contacts on delete cascade,
  add constraint contact_merged_is_deleted check (merged_into is null or (deleted_at is not null and merged_at is not null));
create index contacts_merged on contacts.contacts (workspace_id, merged_into) where merged_into is not null;
create or replace view contacts.contact_rows as
  select * from contacts.contacts where workspace_id = platform.workspace_id();

create table contacts.merges (
  workspace_id uuid not null,
  id uuid not null,
  primary_id uuid not null,
  duplicate_ids uuid[] not null,
  -- As they were asked for.
  fields jsonb not null default '{}',
  -- How many rows of which table went along.
  moved jsonb not null default '{}',
  created_by uuid,
  created_by_name text not null default '',
  created_at timestamptz not null default now(),
  undone_at timestamptz,
  undone_by uuid,
  undone_by_name text not null default '',
  kept jsonb not null default '[]',
  primary key (workspace_id, id),
  constraint merge_primary foreign key (workspace_id, primary_id) references contacts.contacts on delete cascade
);
create index merges_by_time on contacts.merges (workspace_id, created_at, id);
create index merges_of_primary on contacts.merges (workspace_id, primary_id, created_at);
call platform.protect('contacts.merges');

-- What each record was before, and what the surviving one was right after: a field that differs from the latter was changed
-- since, and is left alone by an undo.
create table contacts.merge_records (
  workspace_id uuid not null,
  merge_id uuid not null,
  contact_id uuid not null,
  before jsonb not null,
  after jsonb,
  primary key (workspace_id, merge_id, contact_id),
  constraint merge_record_merge foreign key (workspace_id, merge_id) references contacts.merges on delete cascade,
  constraint merge_record_contact foreign key (workspace_id, contact_id) references contacts.contacts on delete cascade
);
create index merge_records_contact on contacts.merge_records (workspace_id, contact_id);
call platform.protect('contacts.merge_records');

-- Which rows went from whom: `moved` to the survivor, `dropped` because it had the same, or `added` to it by the merge.
-- `content` is the row as it was, where it would have to be made again.
create table contacts.merge_moves (
  workspace_id uuid not null,
  merge_id uuid not null,
  table_name text not null,
  row_key text not null,
  contact_id uuid not null,
  action text not null constraint merge_move_action check (action in ('moved', 'dropped', 'added')),
  content jsonb,
  primary key (workspace_id, merge_id, table_name, row_key, contact_id),
  constraint merge_move_merge foreign key (workspace_id, merge_id) references contacts.merges on delete cascade,
  constraint merge_move_contact foreign key (workspace_id, contact_id) references contacts.contacts on delete cascade
);
create index merge_moves_contact on contacts.merge_moves (workspace_id, contact_id);
call platform.protect('contacts.merge_moves');

-- Further addresses of a person, under which others may know them. Nothing is sent to them. Two people may have had one
-- address in the course of time; the latest is meant.
create table contacts.contact_addresses (
  workspace_id uuid not null,
  contact_id uuid not null,
  email text not null,
  email_key text not null generated always as (lower(email)) stored,
  added_at timestamptz not null default now(),
  primary key (workspace_id, contact_id, email_key),
  constraint contact_address_contact foreign key (workspace_id, contact_id) references contacts.contacts on delete cascade
);
create index contact_addresses_email on contacts.contact_addresses (workspace_id, email_key, added_at);
call platform.protect('contacts.contact_addresses');
