-- Work with many tickets: ready answers, saved views, and what was done to many at once.

create table support.canned_replies (
  workspace_id uuid not null,
  id uuid not null,
  owner_id uuid not null, -- who made it: a member's id, or a key's
  owner_name text not null default '',
  shortcut text not null constraint canned_reply_shortcut check (shortcut ~ '^[^\s/]{1,50}$'),
  title text not null,
  content text not null, -- with {{variables}}
  language text, -- null: for all of them
  category text,
  tags text[] not null default '{}',
  tag_keys text[] not null generated always as (support.tag_keys(tags)) stored,
  visibility text not null default 'private' constraint canned_reply_visibility check (visibility in ('private', 'workspace')),
  version int not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  search_text text not null generated always as
    (support.search_text(array[shortcut, title, content, coalesce(category, '')] || tags)) stored,
  primary key (workspace_id, id)
);
create unique index canned_replies_shortcut on support.canned_replies (workspace_id, lower(shortcut)) where deleted_at is null;
create index canned_replies_title on support.canned_replies (workspace_id, platform.fold(title), id);
create index canned_replies_created on support.canned_replies (workspace_id, created_at, id);
create index canned_replies_updated on support.canned_replies (workspace_id, updated_at, id);
call platform.protect('support.canned_replies');
create trigger canned_reply_touch before update of shortcut, title, content, language, category, tags, visibility, deleted_at
  on support.canned_replies for each row execute function platform.touch();

create table support.views (
  workspace_id uuid not null,
  id uuid not null,
  owner_id uuid not null, -- who made it: a member's id, or a key's
  owner_name text not null default '',
  name text not null constraint view_name check (length(name) between 1 and 100),
  icon text,
  color text,
  visibility text not null default 'private' constraint view_visibility check (visibility in ('private', 'workspace')),
  filter jsonb not null default '{}', -- parameters of the list of tickets
  sort text,
  columns jsonb not null default '[]', -- [{"field", "width"}, …] in the order in which they are shown
  version int not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  primary key (workspace_id, id)
);
create unique index views_name on support.views (workspace_id, owner_id, lower(name)) where deleted_at is null;
create index views_by_name on support.views (workspace_id, platform.fold(name), id);
create index views_created on support.views (workspace_id, created_at, id);
create index views_updated on support.views (workspace_id, updated_at, id);
call platform.protect('support.views');
create trigger view_touch before update of name, icon, color, visibility, filter, sort, columns, deleted_at
  on support.views for each row execute function platform.touch();

-- What was done to many tickets at once, and for thirty days what each of them was before.
create table support.operations (
  workspace_id uuid not null,
  id uuid not null,
  action text not null,
  actor_id uuid,
  actor_name text not null default '',
  facts jsonb not null default '{}', -- what was set, and how the tickets were named; nobody's words
  counts jsonb not null default '{}',
  tickets int not null default 0, -- that it changed
  job_id uuid,
  undo_job_id uuid,
  created_at timestamptz not null default now(),
  undoable_until timestamptz not null,
  undone_at timestamptz,
  undone_by uuid,
  undone_by_name text not null default '',
  primary key (workspace_id, id)
);
create index operations_by_time on support.operations (workspace_id, created_at, id);
create index operations_by_actor on support.operations (workspace_id, actor_id, created_at, id);
call platform.protect('support.operations');

create table support.operation_changes (
  workspace_id uuid not null,
  operation_id uuid not null,
  ticket_id uuid not null,
  before jsonb not null,
  after jsonb not null,
  undone_at timestamptz, -- when an undo went past it, whether or not it could put it back
  primary key (workspace_id, operation_id, ticket_id),
  constraint operation_change_operation foreign key (workspace_id, operation_id) references support.operations on delete cascade,
  constraint operation_change_ticket foreign key (workspace_id, ticket_id) references support.tickets on delete cascade
);
create index operation_changes_ticket on support.operation_changes (workspace_id, ticket_id);
call platform.protect('support.operation_changes');
