-- A table that an import fills outgrows what the planner knows of it long before autovacuum looks: an empty table's
-- statistics made each batch read all contacts to find a few. Whoever fills a table calls this between batches. It
-- costs one look-up, and samples a table whenever it is four times as large. The owner's right, because the application has none.
create procedure contacts.refresh_statistics()
  language plpgsql security definer set search_path = pg_catalog as $$
begin
  if exists (
    select from pg_class c
    where c.oid = 'contacts.contacts'::regclass and pg_relation_size(c.oid) > 4 * 8192 * greatest(c.relpages, 50))
  then
    analyze contacts.contacts;
  end if;
end $$;
revoke all on procedure contacts.refresh_statistics() from public;
grant execute on procedure contacts.refresh_statistics() to rapport_app;
