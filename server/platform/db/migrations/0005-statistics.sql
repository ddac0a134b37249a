-- A table that has just grown by half has statistics that mislead the planner until autovacuum comes round, a minute
-- later at best. Whoever made it grow says so here. Only an owner may analyze, so this runs as one; it takes the name of
-- a table, tells nothing about rows, and refuses what is not a table of Rapport's own schemas.
create function platform.refresh_statistics(target regclass) returns void
  language plpgsql security definer set search_path = pg_catalog as $$
begin
  if not exists (
    select from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.oid = target and c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema', 'public', 'pgboss')
      and n.nspname !~ '^pg_'
  ) then
    raise exception 'not a table of Rapport: %', target;
  end if;
  execute format('analyze %s', target);
end $$;
revoke all on function platform.refresh_statistics(regclass) from public;
grant execute on function platform.refresh_statistics(regclass) to rapport_app;
