-- A stamp for each connection that writes, found by its key: nobody looks for one that is free, which among many writers took
-- longer than what they had to write. A number that the server gives to a connection is no other's while it lives.
drop table platform.read_stamps;
create table platform.read_stamps (
  workspace_id uuid not null,
  kind text not null,
  writer int not null default pg_backend_pid(),
  stamp uuid not null default gen_random_uuid(),
  renewed_at timestamptz not null default now(),
  primary key (workspace_id, kind, writer)
) with (fillfactor = 50);
call platform.protect('platform.read_stamps');

create or replace function platform.note_write() returns trigger language plpgsql as $$
declare
  kind_written constant text := tg_argv[0];
  flag constant text := 'rapport.wrote_' || kind_written;
  workspace constant uuid := platform.workspace_id();
begin
  if workspace is null or current_setting(flag, true) = workspace::text then
    return null;
  end if;
  insert into platform.read_stamps as s (workspace_id, kind) values (workspace, kind_written)
  on conflict (workspace_id, kind, writer) do update set stamp = excluded.stamp, renewed_at = excluded.renewed_at;
  perform set_config(flag, workspace::text, true);
  return null;
end $$;

-- Connections come and go. No answer is kept for as long as a stamp is, so one that is forgotten brings none back.
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
  delete from platform.read_stamps where (workspace_id, kind, writer) in (
    select s.workspace_id, s.kind, s.writer from platform.read_stamps s
    where s.renewed_at < now() - interval '1 day' limit 10000 for update skip locked);
  get diagnostics rows_now = row_count; forgotten := forgotten + rows_now;
  return forgotten;
end $$;
