-- Tickets that belong together: merged into one, split in two, linked; and who else is at one right now.

-- Nothing here holds anybody's words: what a merge changed is remembered by ids, so that an erasure need not come here.
create table support.ticket_merges (
  workspace_id uuid not null,
  id uuid not null,
  survivor_id uuid not null,
  duplicate_ids uuid[] not null,
  created_at timestamptz not null,
  created_by uuid, -- of the house
  created_by_name text not null default '',
  undone_at timestamptz,
  undone_by uuid,
  undone_by_name text not null default '',
  kept int not null default 0, -- messages that an undo left where they are, because they were moved on or deleted since
  primary key (workspace_id, id),
  constraint merge_survivor foreign key (workspace_id, survivor_id) references support.tickets on delete cascade
);
create index ticket_merges_of on support.ticket_merges (workspace_id, survivor_id, created_at, id);
create index ticket_merges_duplicates on support.ticket_merges using gin (duplicate_ids) where undone_at is null;
call platform.protect('support.ticket_merges');

-- What was where before: tickets, messages, and colleagues who follow.
create table support.ticket_merge_rows (
  workspace_id uuid not null,
  merge_id uuid not null,
  table_name text not null constraint merge_row_table check (table_name in ('tickets', 'messages', 'followers')),
  row_id uuid not null,
  ticket_id uuid not null, -- where it was
  action text not null constraint merge_row_action check (action in ('moved', 'added', 'changed')),
  content jsonb not null default '{}',
  primary key (workspace_id, merge_id, table_name, row_id),
  constraint merge_row foreign key (workspace_id, merge_id) references support.ticket_merges on delete cascade
);
call platform.protect('support.ticket_merge_rows');

create index tickets_merged on support.tickets (workspace_id, merged_into) where merged_into is not null;

-- In which ticket a message was said, where that was merged into another: it is still that requester's. The words of
-- another requester are for the house alone.
alter table support.messages add column came_from uuid;
alter table support.messages drop constraint message_requester_is_public;
alter table support.messages add constraint message_requester_is_public
  check (not is_internal or author_kind <> 'requester' or came_from is not null);
create index messages_came_from on support.messages (workspace_id, came_from) where came_from is not null;
create or replace view support.message_rows as select * from support.messages where workspace_id = platform.workspace_id();

create table support.ticket_links (
  workspace_id uuid not null,
  id uuid not null,
  from_id uuid not null,
  to_id uuid not null,
  kind text not null constraint ticket_link_kind check (kind in ('related', 'duplicate_of', 'blocks', 'causes')),
  created_by uuid, -- of the house
  created_at timestamptz not null,
  primary key (workspace_id, id),
  constraint ticket_link_other check (from_id <> to_id),
  constraint ticket_link_from foreign key (workspace_id, from_id) references support.tickets on delete cascade,
  constraint ticket_link_to foreign key (workspace_id, to_id) references support.tickets on delete cascade
);
-- Once in either direction: two tickets cannot block each other.
create unique index ticket_link_once on support.ticket_links (workspace_id, least(from_id, to_id), greatest(from_id, to_id), kind);
create index ticket_links_from on support.ticket_links (workspace_id, from_id, created_at, id);
create index ticket_links_to on support.ticket_links (workspace_id, to_id, created_at, id);
call platform.protect('support.ticket_links');

-- Who looks at a ticket, or writes in it. A word that holds for a minute needs no journal: after a crash nobody is there.
create unlogged table support.ticket_presence (
  workspace_id uuid not null,
  ticket_id uuid not null,
  user_id uuid not null, -- a member of the house
  state text not null constraint ticket_presence_state check (state in ('viewing', 'typing')),
  since timestamptz not null, -- in this state
  seen_at timestamptz not null,
  primary key (workspace_id, ticket_id, user_id)
);
create index ticket_presence_user on support.ticket_presence (workspace_id, user_id);
call platform.protect('support.ticket_presence');
