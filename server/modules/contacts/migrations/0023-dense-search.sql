-- Searches compare alike in all modules (platform/db/migrations/0014-search.sql).
drop index contacts.contacts_dense;
create index contacts_dense on contacts.contacts using gin (platform.dense_grams(search_text))
  where deleted_at is null and platform.has_dense_script(search_text);
drop function contacts.dense_grams;
drop function contacts.has_dense_script;
drop function contacts.contains_pattern;
