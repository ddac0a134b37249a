-- The timeline in monthly partitions: see docs/decisions/0021.

-- The partitions live apart, in a schema that the application cannot enter. They are reached through their parent alone,
-- whose policy keeps the tenants from each other.
create schema contacts_parts;

alter table contacts.interactions rename to interactions_before;
alter table contacts.interactions_before rename constraint interactions_pkey to interactions_before_pkey;
alter table contacts.interactions_before drop constraint interaction_contact;
drop index contacts.interactions_contact, contacts.interactions_recent, contacts.interactions_source;

create table contacts.interactions (
  workspace_id uuid not null,
  id uuid not null,
  contact_id uuid not null,
  interaction_type text not null,
  description text not null default '',
  metadata jsonb not null default '{}',
  occurred_at timestamptz not null default now(),
  recorded_at timestamptz not null default now(),
  actor_id uuid,
  actor_name text not null default '',
  booking_id text,
  campaign_id uuid,
  source_key text
) partition by range (occurred_at);
create table contacts_parts.interactions_other partition of contacts.interactions default;

-- What makes an entry that stems from outside unique, however often it is delivered and whatever time it tells: an index
-- of the timeline itself would have to contain the time. Half of the SHA-256 of the key: narrow, and names nobody.
create table contacts.interaction_sources (
  workspace_id uuid not null,
  source_hash uuid not null,
  primary key (workspace_id, source_hash)
);
call platform.protect('contacts.interaction_sources');

-- One month gets a partition of its own; what the default partition has of it moves there. Locks are taken in the order
-- in which everybody else takes them, and given up soon: the schedule tries again.
create function contacts.add_interaction_partition(month date) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  part text := to_char(month, '"contacts_parts.interactions_"YYYY_MM');
  starts timestamptz := month::timestamp at time zone 'UTC';
  ends timestamptz := (month + interval '1 month') at time zone 'UTC';
begin
  lock table contacts.contacts in share row exclusive mode;
  lock table contacts_parts.interactions_other in access exclusive mode;
  execute format('create table %s (like contacts.interactions including defaults)', part);
  execute format(
    'with moved as (delete from contacts_parts.interactions_other where occurred_at >= %L and occurred_at < %L returning *) '
    'insert into %s select * from moved', starts, ends, part);
  execute format('alter table contacts.interactions attach partition %s for values from (%L) to (%L)', part, starts, ends);
end $$;
revoke execute on function contacts.add_interaction_partition(date) from public;

-- This month, the next three, and every earlier one of which the default partition has a thousand entries; fewer are found
-- there as quickly, and each partition costs every plan a little. Makes at most one, so that locks are held shortly, and
-- answers its month; null when none is wanting. Autovacuum never samples a partitioned table as a whole, hence the analyze.
create function contacts.ensure_partitions() returns date
  language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '500ms' as $$
declare
  this_month date := date_trunc('month', now() at time zone 'UTC');
  wanted date;
begin
  perform pg_advisory_xact_lock(7276775);
  select month into wanted from (
    select (this_month + make_interval(months => n))::date as month from generate_series(0, 3) as n
    union
    select date_trunc('month', occurred_at at time zone 'UTC')::date from contacts_parts.interactions_other
    where occurred_at >= this_month - interval '20 years' and occurred_at < this_month
    group by 1 having count(*) >= 1000) as months
  where to_regclass(to_char(month, '"contacts_parts.interactions_"YYYY_MM')) is null
  order by month desc limit 1;
  if wanted is null then
    analyze contacts.interactions;
  else
    perform contacts.add_interaction_partition(wanted);
  end if;
  return wanted;
end $$;
revoke execute on function contacts.ensure_partitions() from public;
grant execute on function contacts.ensure_partitions() to rapport_app;

-- First the partitions, then the rows, then what is faster made at once than row by row.
do $$
declare
  month date;
begin
  for month in
    select (date_trunc('month', now() at time zone 'UTC') + make_interval(months => n))::date from generate_series(0, 3) as n
    union
    select date_trunc('month', occurred_at at time zone 'UTC')::date from contacts.interactions_before
    where occurred_at >= now() - interval '20 years' and occurred_at < now()
    group by 1 having count(*) >= 1000
    order by 1
  loop
    perform contacts.add_interaction_partition(month);
  end loop;
end $$;
insert into contacts.interactions (workspace_id, id, contact_id, interaction_type, description, metadata, occurred_at,
  recorded_at, actor_id, actor_name, booking_id, campaign_id, source_key)
select workspace_id, id, contact_id, interaction_type, description, metadata, occurred_at, recorded_at, actor_id, actor_name,
  booking_id, campaign_id, source_key
from contacts.interactions_before;
insert into contacts.interaction_sources (workspace_id, source_hash)
select workspace_id, encode(substring(sha256(convert_to(source_key, 'UTF8')) for 16), 'hex')::uuid
from contacts.interactions_before where source_key is not null;
drop table contacts.interactions_before;

alter table contacts.interactions
  add primary key (workspace_id, id, occurred_at),
  add constraint interaction_contact foreign key (workspace_id, contact_id) references contacts.contacts on delete cascade;
create index interactions_contact on contacts.interactions (workspace_id, contact_id, occurred_at, id);
create index interactions_recent on contacts.interactions (workspace_id, occurred_at, id);
-- "Who did this in that period" reads the index alone; the latest of a rare type are found without reading all others.
create index interactions_type on contacts.interactions (workspace_id, interaction_type, occurred_at, contact_id);
call platform.protect('contacts.interactions');
analyze contacts.interactions;
