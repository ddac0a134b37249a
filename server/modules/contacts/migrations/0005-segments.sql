-- Segments (dynamic lists) and saved views.

alter table contacts.lists
  add column last_refreshed_at timestamptz, -- of a dynamic list: when its members last were whom its rule found
  add column refresh_job_id uuid,
  add constraint list_rule check ((type = 'dynamic') = (criteria is not null));
create index lists_dynamic on contacts.lists (workspace_id, id) where type = 'dynamic';

-- Sources are compared like all words that people type: case and accents do not matter.
drop index contacts.contacts_source;
create index contacts_source on contacts.contacts (workspace_id, (platform.fold(source)))
  where deleted_at is null and source is not null;

-- A way to look at the contacts that somebody wants to find again.
create table contacts.views (
  workspace_id uuid not null,
  id uuid not null,
  owner_id uuid not null,
  name text not null,
  filter jsonb, -- a rule
  parameters jsonb not null default '{}', -- list parameters, as GET /contacts takes them
  columns text[] not null default '{}',
  sort text,
  display text not null default 'table' constraint view_display check (display in ('table', 'cards')),
  shared boolean not null default false,
  position int not null default 0,
  version int not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  primary key (workspace_id, id)
);
create unique index views_name on contacts.views (workspace_id, owner_id, lower(name)) where deleted_at is null;
create index views_shared on contacts.views (workspace_id, id) where shared and deleted_at is null;
call platform.protect('contacts.views');
create trigger views_touch before update of name, filter, parameters, columns, sort, display, shared, position, deleted_at
  on contacts.views for each row execute function platform.touch();
