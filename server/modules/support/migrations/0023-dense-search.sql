-- Words of one or two signs in scripts that set no spaces (platform/db/migrations/0014-search.sql).
create index tickets_dense on support.tickets using gin (platform.dense_grams(search_text))
  where deleted_at is null and platform.has_dense_script(search_text);
create index messages_dense on support.messages using gin (platform.dense_grams(search_text))
  where deleted_at is null and platform.has_dense_script(search_text);
drop function support.contains_pattern;
