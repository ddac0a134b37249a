-- Tickets, what is said in them, and the ledger of what happened to them.
create schema support;
grant usage on schema support to rapport_app;

-- What search compares: folded, so that neither case nor accents matter.
-- Not `array_to_string`, which is stable only, and so of no use to a generated column.
create function support.search_text(parts text[]) returns text
  language sql immutable parallel safe
  return platform.fold(coalesce((select string_agg(part, ' ') from unnest(parts) as part), ''));

create function support.tag_keys(tags text[]) returns text[]
  language sql immutable parallel safe strict
  return array(select platform.fold(tag) from unnest(tags) as tag);

-- A search term as a LIKE pattern; folding comes first, because it can turn one character into another that LIKE reads.
create function support.contains_pattern(term text) returns text
  language sql immutable parallel safe strict
  return '%' || regexp_replace(platform.fold(term), '([\\%_])', '\\\1', 'g') || '%';

create table support.tickets (
  workspace_id uuid not null,
  id uuid not null,
  ticket_number text not null,
  contact_id uuid, -- null once the person is erased
  user_id uuid, -- null for those who have no account
  assigned_to uuid,
  subject text not null,
  description text not null,
  status text not null default 'open' constraint ticket_status
    check (status in ('open', 'assigned', 'in_progress', 'waiting_customer', 'resolved', 'closed')),
  priority text not null default 'normal' constraint ticket_priority check (priority in ('low', 'normal', 'high', 'urgent')),
  priority_rank int not null generated always as
    (case priority when 'low' then 1 when 'normal' then 2 when 'high' then 3 else 4 end) stored,
  category text,
  source text not null default 'web' constraint ticket_source check (source in ('web', 'email', 'phone', 'chat')),
  contact_email text not null default '',
  contact_name text not null default '',
  language text not null default 'en',
  first_response_at timestamptz, -- the first public answer of a person of the house
  resolved_at timestamptz,
  closed_at timestamptz,
  resolution_notes text,
  internal_notes text, -- for the house alone
  satisfaction_rating int constraint ticket_satisfaction check (satisfaction_rating between 1 and 5),
  satisfaction_comment text,
  satisfaction_at timestamptz,
  tags text[] not null default '{}',
  tag_keys text[] not null generated always as (support.tag_keys(tags)) stored,
  metadata jsonb not null default '{}',
  first_response_due_at timestamptz, -- null when there is no such promise, and once it is kept
  next_response_due_at timestamptz,
  resolution_due_at timestamptz,
  due_at timestamptz generated always as (least(first_response_due_at, next_response_due_at, resolution_due_at)) stored,
  is_escalated boolean not null default false,
  escalated_at timestamptz,
  last_message_at timestamptz not null,
  waiting_since timestamptz, -- since when the requester waits for the house; null while the house waits
  reopened_count int not null default 0,
  follow_up_of uuid,
  merged_into uuid,
  version int not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  search_text text not null generated always as
    (support.search_text(array[ticket_number, subject, description, contact_name, contact_email] || tags)) stored,
  primary key (workspace_id, id),
  -- "Open" and "nobody has it yet" are one: whoever may see the open ones may see those that nobody has.
  constraint ticket_open_is_unassigned check (status <> 'open' or assigned_to is null),
  constraint ticket_work_is_assigned check (status not in ('assigned', 'in_progress', 'waiting_customer') or assigned_to is not null),
  constraint ticket_follow_up foreign key (workspace_id, follow_up_of) references support.tickets,
  constraint ticket_merged_into foreign key (workspace_id, merged_into) references support.tickets
);
create unique index ticket_number on support.tickets (workspace_id, ticket_number);
create index tickets_created on support.tickets (workspace_id, created_at, id) where deleted_at is null;
create index tickets_updated on support.tickets (workspace_id, updated_at, id) where deleted_at is null;
create index tickets_spoken on support.tickets (workspace_id, last_message_at, id) where deleted_at is null;
create index tickets_due on support.tickets (workspace_id, (coalesce(due_at, 'infinity'::timestamptz)), id) where deleted_at is null;
create index tickets_waiting on support.tickets (workspace_id, (coalesce(waiting_since, 'infinity'::timestamptz)), id)
  where deleted_at is null;
create index tickets_priority on support.tickets (workspace_id, priority_rank, id) where deleted_at is null;
create index tickets_status on support.tickets (workspace_id, status, created_at, id) where deleted_at is null;
create index tickets_assigned on support.tickets (workspace_id, assigned_to, created_at, id) where deleted_at is null;
create index tickets_user on support.tickets (workspace_id, user_id, created_at, id) where deleted_at is null;
create index tickets_contact on support.tickets (workspace_id, contact_id, created_at, id);
create index tickets_category on support.tickets (workspace_id, (platform.fold(category)), created_at, id)
  where deleted_at is null and category is not null;
create index tickets_email on support.tickets (workspace_id, (lower(contact_email)));
create index tickets_deleted on support.tickets (workspace_id, deleted_at, id) where deleted_at is not null;
create index tickets_tags on support.tickets using gin (tag_keys) where deleted_at is null;
create index tickets_search on support.tickets using gin (search_text gin_trgm_ops) where deleted_at is null;
create index tickets_follow_ups on support.tickets (workspace_id, follow_up_of) where follow_up_of is not null;
call platform.protect('support.tickets');
-- What a process counts for itself (clocks, last words) does not make an editor's copy stale.
create trigger ticket_touch before update of subject, description, status, priority, category, source, assigned_to,
  contact_id, user_id, contact_email, contact_name, resolution_notes, internal_notes, tags, metadata,
  satisfaction_rating, merged_into, deleted_at
  on support.tickets for each row execute function platform.touch();
-- The operators that search needs are not leakproof, so that under the policy their indexes could not serve: a view of
-- the same rows, under the condition of the policy (docs/decisions/0009).
create view support.ticket_rows as select * from support.tickets where workspace_id = platform.workspace_id();
grant select on support.ticket_rows to rapport_app;

-- How many tickets each day has had, by the calendar of the workspace.
create table support.ticket_days (
  workspace_id uuid not null,
  day date not null,
  last_number int not null,
  primary key (workspace_id, day)
);
call platform.protect('support.ticket_days');

create table support.messages (
  workspace_id uuid not null,
  id uuid not null,
  ticket_id uuid not null,
  user_id uuid, -- of the author, where the author has an account
  author_kind text not null constraint message_author check (author_kind in ('requester', 'house', 'program')),
  author_name text not null default '',
  author_email text not null default '',
  content text not null,
  is_internal boolean not null default false,
  source text not null default 'web' constraint message_source check (source in ('web', 'email', 'phone', 'chat')),
  version int not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  edited_at timestamptz,
  deleted_at timestamptz,
  search_text text not null generated always as (support.search_text(array[content])) stored,
  primary key (workspace_id, id),
  constraint message_ticket foreign key (workspace_id, ticket_id) references support.tickets on delete cascade,
  constraint message_requester_is_public check (not is_internal or author_kind <> 'requester')
);
create unique index messages_of_ticket on support.messages (workspace_id, ticket_id, created_at, id);
create index messages_author on support.messages (workspace_id, (lower(author_email))) where author_email <> '';
create index messages_user on support.messages (workspace_id, user_id) where user_id is not null;
create index messages_search on support.messages using gin (search_text gin_trgm_ops) where deleted_at is null;
call platform.protect('support.messages');
create trigger message_touch before update of content, deleted_at on support.messages
  for each row execute function platform.touch();
create view support.message_rows as select * from support.messages where workspace_id = platform.workspace_id();
grant select on support.message_rows to rapport_app;

-- What a message said before it was changed or deleted.
create table support.message_versions (
  workspace_id uuid not null,
  message_id uuid not null,
  version int not null,
  content text not null,
  what text not null constraint message_version_what check (what in ('edited', 'deleted')),
  ended_at timestamptz not null,
  ended_by uuid,
  ended_by_name text not null default '',
  primary key (workspace_id, message_id, version),
  constraint message_version foreign key (workspace_id, message_id) references support.messages on delete cascade
);
call platform.protect('support.message_versions');

-- The reader is a user or a key; of requesters without an account, the contact.
create table support.message_reads (
  workspace_id uuid not null,
  message_id uuid not null,
  reader_id uuid not null,
  read_at timestamptz not null,
  primary key (workspace_id, message_id, reader_id),
  constraint message_read foreign key (workspace_id, message_id) references support.messages on delete cascade
);
create index message_reads_reader on support.message_reads (workspace_id, reader_id, message_id);
call platform.protect('support.message_reads');

create table support.mentions (
  workspace_id uuid not null,
  message_id uuid not null,
  user_id uuid not null, -- a member of the house
  primary key (workspace_id, message_id, user_id),
  constraint mention_message foreign key (workspace_id, message_id) references support.messages on delete cascade
);
call platform.protect('support.mentions');

-- Members of the house who want to hear of a ticket. Whom a colleague called in may see it; to follow by oneself opens nothing.
create table support.followers (
  workspace_id uuid not null,
  ticket_id uuid not null,
  user_id uuid not null,
  was_called boolean not null,
  followed_at timestamptz not null,
  primary key (workspace_id, ticket_id, user_id),
  constraint follower_ticket foreign key (workspace_id, ticket_id) references support.tickets on delete cascade
);
create index followers_user on support.followers (workspace_id, user_id, ticket_id) where was_called;
call platform.protect('support.followers');

-- Everything that happened to a ticket, in order. Clocks and statistics are folds over it, so it never changes; hence it
-- holds nobody's words, and of requesters not even an id.
create table support.ticket_events (
  workspace_id uuid not null,
  seq bigint generated always as identity,
  ticket_id uuid not null,
  type text not null,
  at timestamptz not null,
  actor_kind text not null constraint ticket_event_actor check (actor_kind in ('requester', 'house', 'program')),
  actor_id uuid, -- of the house alone
  from_value text,
  to_value text,
  data jsonb not null default '{}',
  primary key (workspace_id, seq),
  constraint ticket_event foreign key (workspace_id, ticket_id) references support.tickets on delete cascade
);
create index ticket_events_of on support.ticket_events (workspace_id, ticket_id, seq);
create index ticket_events_type on support.ticket_events (workspace_id, type, at);
call platform.protect_ledger('support.ticket_events');
