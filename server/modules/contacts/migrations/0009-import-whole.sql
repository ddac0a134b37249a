-- The import of any file: its format and sheet, how each column is read, a policy for each field, what a scanner said,
-- and what an undo of tags and of a "no" needs. Files go after their time; what they said stays.

alter table contacts.import_uploads
  add column format text not null default 'csv'
    constraint import_upload_format check (format in ('csv', 'xlsx', 'vcard', 'json')),
  add column scan text not null default 'not_scanned'
    constraint import_upload_scan check (scan in ('not_scanned', 'clean', 'pending', 'infected')),
  add column scanned_at timestamptz,
  add column file_deleted_at timestamptz;
create index import_uploads_pending on contacts.import_uploads (workspace_id, id) where scan = 'pending';
create index import_uploads_kept on contacts.import_uploads (created_at) where file_deleted_at is null;
drop index contacts.import_uploads_age;

alter table contacts.imports rename column date_orders to readings;
update contacts.imports set readings = coalesce(
  (select jsonb_object_agg(key, jsonb_build_object('date_order', value)) from jsonb_each(readings)), '{}');
alter table contacts.imports
  add column format text not null default 'csv',
  add column sheet text,
  add column preset text,
  add column policy jsonb not null default '{}',
  add column new_fields jsonb not null default '[]', -- custom fields that the mapping makes
  -- Of the rows so far: same name and number as an earlier row of another address; a "yes" that nobody declared.
  add column possible_duplicates bigint not null default 0,
  add column undeclared_consents bigint not null default 0;

alter table contacts.import_changes
  add column tags_removed uuid[] not null default '{}',
  add column unsubscribed text[] not null default '{}', -- purposes that were granted, and that the file took away
  add column suppressed boolean not null default false; -- the address was not on the suppression list before

-- For the clean-up, which looks across workspaces: it takes no input, and answers the ids of workspaces that have
-- something to forget.
create function contacts.workspaces_with_old_imports() returns table (workspace_id uuid)
  language sql stable security definer set search_path = pg_catalog as $$
  select u.workspace_id from contacts.import_uploads u
  where u.file_deleted_at is null and u.created_at < now() - interval '7 days'
  union
  select i.workspace_id from contacts.imports i
  where i.created_at < now() - interval '30 days'
    and exists (select from contacts.import_changes c where c.workspace_id = i.workspace_id and c.import_id = i.id)
$$;
create function contacts.workspaces_with_unscanned_uploads() returns table (workspace_id uuid)
  language sql stable security definer set search_path = pg_catalog as $$
  select distinct u.workspace_id from contacts.import_uploads u where u.scan = 'pending'
$$;
revoke execute on function contacts.workspaces_with_old_imports(), contacts.workspaces_with_unscanned_uploads() from public;
grant execute on function contacts.workspaces_with_old_imports(), contacts.workspaces_with_unscanned_uploads() to rapport_app;
