-- Figures by day, so that a chart over years reads some hundred rows, however many contacts and entries there are.

-- Days before `counted_to` are in daily_statistics, as days of this time zone; what comes after is counted when asked. Of
-- days before `rolled_to`, which the task has taken on, writers note when they change something.
create table contacts.statistics_state (
  workspace_id uuid not null,
  timezone text not null,
  rolled_to date not null,
  counted_to date not null,
  computed_at timestamptz not null default now(),
  primary key (workspace_id)
);
call platform.protect('contacts.statistics_state');

create table contacts.daily_statistics (
  workspace_id uuid not null,
  metric text not null constraint daily_metric check (metric in ('interactions', 'created', 'consents')),
  day date not null,
  kind text not null, -- the type of the entry, the source of the contact, or purpose and decision
  count bigint not null,
  primary key (workspace_id, metric, day, kind)
);
call platform.protect('contacts.daily_statistics');

-- Days whose figures were made already when something was written about them. One row a statement and no unique
-- key, so that two writers never wait for each other here.
create table contacts.changed_days (
  workspace_id uuid not null,
  id uuid not null default gen_random_uuid(),
  days date[] not null,
  primary key (workspace_id, id)
);
call platform.protect('contacts.changed_days');

create function contacts.note_changed_interactions() returns trigger language plpgsql as $$
begin
  insert into contacts.changed_days (workspace_id, days)
  select s.workspace_id, array_agg(distinct (n.occurred_at at time zone s.timezone)::date)
  from changed n join contacts.statistics_state s on s.workspace_id = n.workspace_id
  where n.occurred_at < (s.rolled_to::timestamp at time zone s.timezone)
  group by s.workspace_id;
  return null;
end $$;
create trigger interactions_changed_days after insert on contacts.interactions
  referencing new table as changed for each statement execute function contacts.note_changed_interactions();

create function contacts.note_changed_contacts() returns trigger language plpgsql as $$
begin
  insert into contacts.changed_days (workspace_id, days)
  select s.workspace_id, array_agg(distinct (n.created_at at time zone s.timezone)::date)
  from changed n join contacts.statistics_state s on s.workspace_id = n.workspace_id
  where n.created_at < (s.rolled_to::timestamp at time zone s.timezone)
  group by s.workspace_id;
  return null;
end $$;
create trigger contacts_changed_days after insert on contacts.contacts
  referencing new table as changed for each statement execute function contacts.note_changed_contacts();
create trigger contacts_erased_days after delete on contacts.contacts
  referencing old table as changed for each statement execute function contacts.note_changed_contacts();

-- The ledger only grows, in the order of time: a few pages of summary find any day of it.
create index consents_time on contacts.consents using brin (recorded_at) with (pages_per_range = 32, autosummarize = on);
create index contacts_engaged on contacts.contacts (workspace_id, last_engaged_at)
  where deleted_at is null and last_engaged_at is not null;
-- Who became a member since when: the part of a list that is new.
create index list_members_added on contacts.list_members (workspace_id, list_id, added_at);
create index contact_tags_added on contacts.contact_tags (workspace_id, tag_id, tagged_at);

-- What came and went is counted with each change; how the list then stands is written by an hourly task.
create table contacts.list_statistics (
  workspace_id uuid not null,
  list_id uuid not null,
  day date not null,
  added int not null default 0,
  removed int not null default 0,
  members int,
  active int,
  subscribed int,
  opened int,
  clicked int,
  average_score numeric(12, 1),
  low int,
  medium int,
  high int,
  computed_at timestamptz,
  primary key (workspace_id, list_id, day),
  constraint list_statistics_list foreign key (workspace_id, list_id) references contacts.lists on delete cascade
);
call platform.protect('contacts.list_statistics');

create table contacts.tag_statistics (
  workspace_id uuid not null,
  tag_id uuid not null,
  day date not null,
  added int not null default 0,
  removed int not null default 0,
  members int,
  active int,
  subscribed int,
  opened int,
  clicked int,
  average_score numeric(12, 1),
  low int,
  medium int,
  high int,
  computed_at timestamptz,
  primary key (workspace_id, tag_id, day),
  constraint tag_statistics_tag foreign key (workspace_id, tag_id) references contacts.tags on delete cascade
);
call platform.protect('contacts.tag_statistics');

-- Today, where the workspace is.
create function contacts.local_day(workspace uuid) returns date
  language sql stable
  return (now() at time zone coalesce(
    (select timezone from contacts.statistics_state where workspace_id = workspace), 'UTC'))::date;

-- The row of the list is locked by its counter before its day is written, so nobody waits crosswise.
create or replace function contacts.count_members() returns trigger language plpgsql as $$
begin
  with delta as materialized (select workspace_id, list_id, count(*)::int as count from changed group by 1, 2),
  counted as (
    update contacts.lists l set contact_count = contact_count + case tg_op when 'INSERT' then d.count else -d.count end
    from delta d where l.workspace_id = d.workspace_id and l.id = d.list_id
    returning l.workspace_id, l.id, d.count)
  insert into contacts.list_statistics as s (workspace_id, list_id, day, added, removed)
  select workspace_id, id, contacts.local_day(workspace_id), case tg_op when 'INSERT' then count else 0 end,
    case tg_op when 'INSERT' then 0 else count end
  from counted
  on conflict (workspace_id, list_id, day) do update set added = s.added + excluded.added, removed = s.removed + excluded.removed;
  return null;
end $$;
create or replace function contacts.count_tags() returns trigger language plpgsql as $$
begin
  with delta as materialized (select workspace_id, tag_id, count(*)::int as count from changed group by 1, 2),
  counted as (
    update contacts.tags t set usage_count = usage_count + case tg_op when 'INSERT' then d.count else -d.count end
    from delta d where t.workspace_id = d.workspace_id and t.id = d.tag_id
    returning t.workspace_id, t.id, d.count)
  insert into contacts.tag_statistics as s (workspace_id, tag_id, day, added, removed)
  select workspace_id, id, contacts.local_day(workspace_id), case tg_op when 'INSERT' then count else 0 end,
    case tg_op when 'INSERT' then 0 else count end
  from counted
  on conflict (workspace_id, tag_id, day) do update set added = s.added + excluded.added, removed = s.removed + excluded.removed;
  return null;
end $$;

-- Who is there already has come on some day.
insert into contacts.list_statistics (workspace_id, list_id, day, added)
select workspace_id, list_id, (added_at at time zone 'UTC')::date, count(*) from contacts.list_members group by 1, 2, 3;
insert into contacts.tag_statistics (workspace_id, tag_id, day, added)
select workspace_id, tag_id, (tagged_at at time zone 'UTC')::date, count(*) from contacts.contact_tags group by 1, 2, 3;

-- How each workspace stood when the hourly task last looked: what Prometheus is shown, as sums over all of them.
create table contacts.workspace_statistics (
  workspace_id uuid not null,
  contacts bigint not null,
  subscribed bigint not null,
  unsubscribed bigint not null,
  score_sum numeric not null,
  list_members bigint not null,
  list_members_before bigint not null, -- 30 days ago
  tag_uses bigint not null,
  -- How many tags nobody has, up to 10 contacts have, up to 100, up to 1,000, and more.
  tags_unused int not null,
  tags_to_10 int not null,
  tags_to_100 int not null,
  tags_to_1000 int not null,
  tags_over_1000 int not null,
  computed_at timestamptz not null,
  primary key (workspace_id)
);
call platform.protect('contacts.workspace_statistics');
create function contacts.totals() returns table (
    contacts bigint, subscribed bigint, unsubscribed bigint, average_score numeric, list_members bigint, list_members_before bigint,
    tag_uses bigint, tags_unused bigint, tags_to_10 bigint, tags_to_100 bigint, tags_to_1000 bigint, tags_over_1000 bigint)
  language sql stable security definer set search_path = pg_catalog, pg_temp
  as $$
    select coalesce(sum(s.contacts), 0)::bigint, coalesce(sum(s.subscribed), 0)::bigint, coalesce(sum(s.unsubscribed), 0)::bigint,
      coalesce(sum(s.score_sum) / nullif(sum(s.contacts), 0), 0), coalesce(sum(s.list_members), 0)::bigint,
      coalesce(sum(s.list_members_before), 0)::bigint, coalesce(sum(s.tag_uses), 0)::bigint, coalesce(sum(s.tags_unused), 0),
      coalesce(sum(s.tags_to_10), 0), coalesce(sum(s.tags_to_100), 0), coalesce(sum(s.tags_to_1000), 0),
      coalesce(sum(s.tags_over_1000), 0)
    from contacts.workspace_statistics s
  $$;
revoke execute on function contacts.totals() from public;
grant execute on function contacts.totals() to rapport_app;

-- What is done each month with contacts who have not been heard of for long. Off until somebody sets it.
create table contacts.inactive_policies (
  workspace_id uuid not null,
  enabled boolean not null default false,
  inactive_days int not null default 730 constraint inactive_days check (inactive_days between 30 and 3650),
  action text not null default 'deactivate' constraint inactive_action check (action in ('deactivate', 'delete', 'tag')),
  tag text,
  exclude_tags text[] not null default '{}',
  exclude_lists uuid[] not null default '{}',
  exclude_with_orders boolean not null default true,
  exclude_with_bookings boolean not null default true,
  exclude_subscribed boolean not null default false,
  last_job_id uuid,
  last_run_at timestamptz,
  version int not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id)
);
call platform.protect('contacts.inactive_policies');
create trigger inactive_policies_touch
  before update of enabled, inactive_days, action, tag, exclude_tags, exclude_lists, exclude_with_orders, exclude_with_bookings,
    exclude_subscribed
  on contacts.inactive_policies for each row execute function platform.touch();
