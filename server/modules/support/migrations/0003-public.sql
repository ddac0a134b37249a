-- People without an account: what they hold to come back to their ticket, and whether they were asked how it went.
create table support.ticket_tokens (
  workspace_id uuid not null,
  token_hash bytea not null, -- SHA-256 of a token that is kept nowhere
  ticket_id uuid not null,
  created_at timestamptz not null default now(),
  primary key (workspace_id, token_hash),
  constraint ticket_token foreign key (workspace_id, ticket_id) references support.tickets on delete cascade
);
create index ticket_tokens_of on support.ticket_tokens (workspace_id, ticket_id);
call platform.protect('support.ticket_tokens');

-- Whoever knows the number may read the ticket: only of tickets whose number cannot be guessed (PUBLIC_TICKET_ACCESS=number).
alter table support.tickets add column opens_by_number boolean not null default false;
alter table support.tickets add column satisfaction_asked_at timestamptz;
create index tickets_asked on support.tickets (workspace_id, contact_id, satisfaction_asked_at)
  where satisfaction_asked_at is not null;
-- Merge of contacts → whose the ticket was before it, for when it is undone.
alter table support.tickets add column former_contacts jsonb not null default '{}';
-- The view has the columns of its day.
create or replace view support.ticket_rows as select * from support.tickets where workspace_id = platform.workspace_id();
