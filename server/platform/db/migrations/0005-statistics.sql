-- A table that is being filled outgrows what the planner knows of it long before autovacuum looks, and then each batch
-- reads all of it to find a few rows. Whoever fills a table calls this between batches: it costs a look-up, and samples
-- the table each time it is four times as large. Only an owner may analyze, so this runs as one; it takes the name of a table,
-- tells nothing of its rows, and refuses what is not a table of Rapport's own schemas.
create function platform.refresh_statistics(target regclass) returns void
  language plpgsql security definer set search_path = pg_catalog as $$
declare
  known int;
begin
  select c.relpages into known from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.oid = target and c.relkind = 'r' and n.nspname not in ('information_schema', 'public', 'pgboss')
    and n.nspname !~ '^pg_';
  if known is null then
    raise exception 'not a table of Rapport: %', target;
  end if;
  if pg_relation_size(target) > 4 * 8192 * greatest(known, 50) then
    execute format('analyze %s', target);
  end if;
end $$;
revoke all on function platform.refresh_statistics(regclass) from public;
grant execute on function platform.refresh_statistics(regclass) to rapport_app;
