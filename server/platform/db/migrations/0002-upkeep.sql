-- What keeps the platform's own tables true and small. These functions are the only ones that look across workspaces
-- with the owner's eyes: they take no input that could steer them, and answer ids and counts, never content.

-- The queue's entry that carries the job now. Any other entry that names the job finds nothing to do.
alter table platform.jobs add column entry_id uuid;
create index jobs_open on platform.jobs (updated_at) where status in ('queued', 'running');

-- Jobs that nothing carries any more: their entry was dropped, or gave up with the worker that died under it.
create function platform.stranded_jobs() returns table (workspace_id uuid, id uuid, kind text)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  return query
    select j.workspace_id, j.id, j.kind from platform.jobs j
    where j.status in ('queued', 'running') and j.updated_at < now() - interval '20 seconds'
      and not exists (
        select from pgboss.job e
        where e.name = j.kind and e.id = j.entry_id and e.state in ('created', 'retry', 'active'))
    order by j.updated_at limit 500;
end $$;
revoke execute on function platform.stranded_jobs() from public;
grant execute on function platform.stranded_jobs() to rapport_app;

-- One batch of what has served its time; the caller repeats it until it answers 0.
create function platform.forget_old_rows() returns bigint
  language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  forgotten bigint := 0;
  rows_now bigint;
begin
  delete from platform.outbox where seq in (
    select o.seq from platform.outbox o where o.relayed_at < now() - interval '30 days' limit 10000);
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
revoke execute on function platform.forget_old_rows() from public;
grant execute on function platform.forget_old_rows() to rapport_app;

-- What the clean-up looks for.
create index jobs_finished on platform.jobs (finished_at) where finished_at is not null;
