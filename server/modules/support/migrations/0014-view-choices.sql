-- What each person makes of the views of tickets that they see: which are at hand, in which order, and which opens first.
create table support.view_choices (
  workspace_id uuid not null,
  user_id uuid not null,
  view_id uuid not null,
  is_pinned boolean not null default false,
  is_default boolean not null default false,
  position int,
  primary key (workspace_id, user_id, view_id),
  constraint view_choice_view foreign key (workspace_id, view_id) references support.views on delete cascade
);
create index view_choices_view on support.view_choices (workspace_id, view_id);
create unique index view_choices_default on support.view_choices (workspace_id, user_id) where is_default;
call platform.protect('support.view_choices');
