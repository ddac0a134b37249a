-- Who works on tickets, how much of them, and whether they are there.

-- `capacity` is in weights of tickets (urgent 4, high 2, normal 1, low 0.5). Who is online says so again and again: a row
-- that was not heard of for two minutes is nobody's.
create table support.agents (
  workspace_id uuid not null,
  user_id uuid not null, -- a member of the house
  capacity int not null constraint agent_capacity check (capacity between 4 and 1000),
  categories text[] not null default '{}', -- those that they take; empty takes all
  presence text not null default 'away' constraint agent_presence check (presence in ('online', 'away')),
  seen_at timestamptz, -- the last time that they said so
  assigned_at timestamptz, -- the last time that a ticket came to them by itself
  version int not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, user_id)
);
call platform.protect('support.agents');
create trigger agent_touch before update of capacity, categories on support.agents
  for each row execute function platform.touch();

-- One row for each workspace that ever assigned by itself: whoever assigns holds it, so that two never fill the same room.
create table support.assignment_settings (
  workspace_id uuid not null,
  auto_assign boolean, -- null follows AUTO_ASSIGN
  version int not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id)
);
call platform.protect('support.assignment_settings');
create trigger assignment_settings_touch before update of auto_assign on support.assignment_settings
  for each row execute function platform.touch();

create function support.ticket_weight(priority text) returns numeric
  language sql immutable parallel safe strict
  return case priority when 'urgent' then 4 when 'high' then 2 when 'normal' then 1 else 0.5 end;

-- What somebody has in hand; tickets that wait for nothing but their end are not.
create index tickets_in_hand on support.tickets (workspace_id, assigned_to) include (priority)
  where deleted_at is null and merged_into is null and status in ('assigned', 'in_progress', 'waiting_customer');
-- Those that wait for somebody, in the order in which they are given out.
create index tickets_unassigned on support.tickets (workspace_id, priority_rank desc, created_at, id)
  where deleted_at is null and merged_into is null and status = 'open' and assigned_to is null;
