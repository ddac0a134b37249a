-- A table that an import fills outgrows what the planner knows of it long before autovacuum looks: an empty table's
-- statistics made each batch read all contacts to find a few. Whoever fills a table calls this between batches. It
-- costs two look-ups, and samples a table each time that has doubled. The owner's right, because the application has none.
create procedure contacts.refresh_statistics()
  language plpgsql security definer set search_path = pg_catalog as $$
declare
  grown record;
begin
  for grown in
    select c.oid::regclass as name from pg_class c
    where c.oid in ('contacts.contacts'::regclass, 'contacts.contact_tags'::regclass, 'contacts.list_members'::regclass)
      and pg_relation_size(c.oid) > 2 * 8192 * greatest(c.relpages, 50)
  loop
    execute format('analyze %s', grown.name);
  end loop;
end $$;
revoke all on procedure contacts.refresh_statistics() from public;
grant execute on procedure contacts.refresh_statistics() to rapport_app;
