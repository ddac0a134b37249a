-- Saved views: a filter, a search, an order and columns under a name. They hold no contact, only how to look at contacts.

-- A first draft of this table has stood empty since 0005: no door wrote to it.
drop table contacts.views;
create table contacts.views (
  workspace_id uuid not null,
  id uuid not null,
  owner_id uuid not null, -- who made it: a member's id, or a key's
  owner_name text not null default '',
  name text not null constraint view_name check (length(name) between 1 and 100),
  icon text,
  color text,
  layout text not null default 'table' constraint view_layout check (layout in ('table', 'board')),
  visibility text not null default 'private' constraint view_visibility check (visibility in ('private', 'workspace')),
  filter jsonb, -- a rule; null finds everybody
  search text not null default '',
  sort text,
  columns jsonb not null default '[]', -- [{"field", "width"}, …] in the order in which they are shown
  group_by text,
  version int not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  primary key (workspace_id, id)
);
create unique index views_name on contacts.views (workspace_id, owner_id, lower(name)) where deleted_at is null;
create index views_shared on contacts.views (workspace_id, id) where visibility = 'workspace';
create trigger touch before update of name, icon, color, layout, visibility, filter, search, sort, columns, group_by, deleted_at
  on contacts.views for each row execute function platform.touch();
call platform.protect('contacts.views');

-- What each person makes of the views that they see: which are at hand, in which order, and which opens first.
create table contacts.view_choices (
  workspace_id uuid not null,
  user_id uuid not null,
  view_id uuid not null,
  is_pinned boolean not null default false,
  is_default boolean not null default false,
  position int,
  primary key (workspace_id, user_id, view_id),
  constraint view_choice_view foreign key (workspace_id, view_id) references contacts.views on delete cascade
);
create index view_choices_view on contacts.view_choices (workspace_id, view_id);
create unique index view_choices_default on contacts.view_choices (workspace_id, user_id) where is_default;
call platform.protect('contacts.view_choices');
