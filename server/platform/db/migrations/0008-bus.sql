-- What a broker is told of the outbox. Rows are numbered when they are written and seen when they are committed, so a
-- reader that remembers a number would pass over whatever commits late. The transaction's own number heals that: what
-- is below the oldest transaction still running can never gain a row any more.
alter table platform.outbox add column xid xid8 not null default pg_current_xact_id();
create index outbox_by_transaction on platform.outbox (xid, seq);

-- Events that came from other programs are not told to them again.
alter table platform.outbox add column is_foreign boolean not null default false;

create table platform.bus_cursors (
  bus text primary key,
  xid xid8 not null,
  seq bigint not null,
  error text,
  updated_at timestamptz not null default now()
);
grant select, insert, update on platform.bus_cursors to rapport_app;

-- As before, but an event stays until the broker has it, however long that is away.
create or replace function platform.forget_old_rows() returns bigint
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  forgotten bigint := 0;
  rows_now bigint;
begin
  delete from platform.outbox where seq in (
    select o.seq from platform.outbox o
    where o.relayed_at < now() - interval '30 days'
      and not exists (select from platform.bus_cursors c where (o.xid, o.seq) > (c.xid, c.seq))
    limit 10000);
  get diagnostics rows_now = row_count; forgotten := forgotten + rows_now;
  delete from platform.inbox where (consumer, event_id) in (
    select i.consumer, i.event_id from platform.inbox i where i.handled_at < now() - interval '60 days' limit 10000);
  get diagnostics rows_now = row_count; forgotten := forgotten + rows_now;
  delete from platform.idempotency_keys where (workspace_id, route, key) in (
    select k.workspace_id, k.route, k.key from platform.idempotency_keys k
    where k.created_at < now() - interval '24 hours' limit 10000);
  get diagnostics rows_now = row_count; forgotten := forgotten + rows_now;
  delete from platform.jobs where (workspace_id, id) in (
    select j.workspace_id, j.id from platform.jobs j where j.finished_at < now() - interval '90 days' limit 10000);
  get diagnostics rows_now = row_count; forgotten := forgotten + rows_now;
  return forgotten;
end $$;
