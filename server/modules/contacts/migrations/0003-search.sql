-- What the list of contacts sorts, filters and searches by, beyond the first migration.

-- A search term as a LIKE pattern: folded like the text that it is compared with, wildcards taken literally. Folding
-- comes first, because it can turn one character into another that LIKE would read (a full-width percent sign).
create function contacts.contains_pattern(term text) returns text
  language sql immutable parallel safe strict
  return '%' || regexp_replace(platform.fold(term), '([\\%_])', '\\\1', 'g') || '%';

-- Trigrams cannot find what is shorter than three characters, and in scripts that set no spaces (Chinese, Japanese,
-- Korean, Thai) a name is mostly two. Those characters, alone and in pairs, get an index of their own, which costs
-- contacts in other scripts nothing but the test in its WHERE.
create function contacts.has_dense_script(input text) returns boolean
  language sql immutable parallel safe strict
  return input ~ '[\u0E00-\u0E7F\u2E80-\u9FFF\uAC00-\uD7AF\uF900-\uFAFF\U00020000-\U0003FFFF]';

create function contacts.dense_grams(input text) returns text[]
  language sql immutable parallel safe strict
  return array(
    select distinct gram
    from generate_series(1, length(input)) as start, lateral (values (substr(input, start, 1)), (substr(input, start, 2))) as g(gram)
    where contacts.has_dense_script(substr(input, start, 1)) and gram not like '% %');

create index contacts_dense on contacts.contacts using gin (contacts.dense_grams(search_text))
  where deleted_at is null and contacts.has_dense_script(search_text);

create index contacts_first_name on contacts.contacts (workspace_id, (platform.fold(first_name || ' ' || last_name)), id)
  where deleted_at is null;
-- A column rather than an expression, so that grouping by it reads the index alone, and the planner knows how frequent
-- each company is.
alter table contacts.contacts
  add column company_key text not null generated always as (platform.fold(coalesce(company, ''))) stored;
create or replace view contacts.contact_rows as
  select * from contacts.contacts where workspace_id = platform.workspace_id();
create index contacts_company on contacts.contacts (workspace_id, company_key, id) where deleted_at is null;
create index contacts_booking on contacts.contacts (workspace_id, (coalesce(last_booking_date, '-infinity'::timestamptz)), id)
  where deleted_at is null;
create index contacts_opened on contacts.contacts (workspace_id, (coalesce(last_email_opened_at, '-infinity'::timestamptz)), id)
  where deleted_at is null;

-- The rare values of what is filtered by; the frequent ones are found soon enough along any sort order.
create index contacts_status on contacts.contacts (workspace_id, status, created_at, id)
  where deleted_at is null and status <> 'active';
create index contacts_inactive on contacts.contacts (workspace_id, created_at, id)
  where deleted_at is null and not is_active;
create index contacts_language on contacts.contacts (workspace_id, language) where deleted_at is null;
create index contacts_source on contacts.contacts (workspace_id, source) where deleted_at is null and source is not null;

-- What the dashboard counts, so narrow that counting is reading little.
create index contacts_subscribed on contacts.contacts (workspace_id)
  where deleted_at is null and (newsletter_subscribed or marketing_subscribed);
create index contacts_booked on contacts.contacts (workspace_id, total_bookings) where deleted_at is null and total_bookings > 0;
