-- What is promised of tickets, in which hours, and what became of it.

create table support.calendars (
  workspace_id uuid not null,
  id uuid not null,
  name text not null,
  timezone text not null,
  hours jsonb not null, -- by weekday, lists of {from, to}
  holidays jsonb not null default '[]', -- {day, name, hours?}
  version int not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  primary key (workspace_id, id)
);
create unique index calendars_name on support.calendars (workspace_id, lower(name)) where deleted_at is null;
call platform.protect('support.calendars');
create trigger calendar_touch before update on support.calendars for each row execute function platform.touch();

-- Each calendar as it ever was, so that the clocks of a ticket can be told again from its ledger.
create table support.calendar_versions (
  workspace_id uuid not null,
  calendar_id uuid not null,
  version int not null,
  timezone text not null,
  hours jsonb not null,
  holidays jsonb not null,
  recorded_at timestamptz not null,
  primary key (workspace_id, calendar_id, version),
  constraint calendar_version foreign key (workspace_id, calendar_id) references support.calendars
);
call platform.protect_ledger('support.calendar_versions');

-- The first active one, by position, whose conditions a ticket meets is the one that holds for it.
create table support.sla_policies (
  workspace_id uuid not null,
  id uuid not null,
  name text not null,
  description text not null default '',
  position int not null default 0,
  is_active boolean not null default true,
  conditions jsonb not null default '{}',
  targets jsonb not null, -- by priority, minutes of first_response, next_response and resolution
  calendar_id uuid, -- null counts day and night
  pause_while_waiting boolean not null default true,
  version int not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  primary key (workspace_id, id),
  constraint policy_calendar foreign key (workspace_id, calendar_id) references support.calendars
);
create unique index sla_policies_name on support.sla_policies (workspace_id, lower(name)) where deleted_at is null;
create index sla_policies_order on support.sla_policies (workspace_id, position, id) where deleted_at is null;
create index sla_policies_calendar on support.sla_policies (workspace_id, calendar_id) where calendar_id is not null;
call platform.protect('support.sla_policies');
create trigger sla_policy_touch before update on support.sla_policies for each row execute function platform.touch();

-- How far the fold over a ticket's ledger has come, and what it says. Nothing here that the ledger would not give again.
create table support.ticket_clocks (
  workspace_id uuid not null,
  ticket_id uuid not null,
  seq bigint not null, -- the last event that is in it
  state jsonb not null,
  policy_id uuid,
  next_due_at timestamptz, -- of what is not breached yet
  primary key (workspace_id, ticket_id),
  constraint clocks_ticket foreign key (workspace_id, ticket_id) references support.tickets on delete cascade
);
create index ticket_clocks_due on support.ticket_clocks (workspace_id, next_due_at) where next_due_at is not null;
create index ticket_clocks_policy on support.ticket_clocks (workspace_id, policy_id) where policy_id is not null;
call platform.protect('support.ticket_clocks');

-- A promise that was broken was broken when it was due, whenever that was noticed.
create table support.sla_breaches (
  workspace_id uuid not null,
  ticket_id uuid not null,
  clock text not null constraint breach_clock check (clock in ('first_response', 'next_response', 'resolution')),
  breached_at timestamptz not null,
  policy_id uuid,
  noticed_at timestamptz not null,
  primary key (workspace_id, ticket_id, clock, breached_at),
  constraint breach_ticket foreign key (workspace_id, ticket_id) references support.tickets on delete cascade
);
create index sla_breaches_time on support.sla_breaches (workspace_id, breached_at);
call platform.protect_ledger('support.sla_breaches');

alter table support.tickets
  add column first_response_breached_at timestamptz,
  add column next_response_breached_at timestamptz, -- of the present question
  add column resolution_breached_at timestamptz;
create or replace view support.ticket_rows as select * from support.tickets where workspace_id = platform.workspace_id();

-- Urgent ones that nobody has answered, and solved ones in which nothing happens any more.
create index tickets_unanswered on support.tickets (workspace_id, created_at)
  where deleted_at is null and priority = 'urgent' and first_response_at is null and escalated_at is null
    and status not in ('resolved', 'closed');
create index tickets_resolved on support.tickets (workspace_id, (greatest(resolved_at, last_message_at)))
  where deleted_at is null and status = 'resolved';
