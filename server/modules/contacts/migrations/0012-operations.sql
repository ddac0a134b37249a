-- What people did to contacts, and what was there before: so that it can be taken back (docs/decisions/0025).

create table contacts.operations (
  workspace_id uuid not null,
  id uuid not null,
  kind text not null
    constraint operation_kind check (kind in ('edit', 'bulk', 'delete', 'restore', 'import', 'merge', 'undo')),
  action text not null, -- within the kind: add_tag, set_field, …
  actor_kind text not null,
  actor_id uuid,
  actor_name text not null default '',
  facts jsonb not null default '{}', -- what a label is made of: tag, list, field; nothing about persons
  counts jsonb not null default '{}',
  contacts int not null default 0, -- that it changed
  subject_id uuid, -- the import or the merge
  job_id uuid,
  undo_job_id uuid,
  undo_of uuid,
  created_at timestamptz not null default now(),
  undoable_until timestamptz, -- null: cannot be undone
  undone_at timestamptz,
  undone_by uuid,
  undone_by_name text not null default '',
  primary key (workspace_id, id)
);
create index operations_created on contacts.operations (workspace_id, created_at, id);
create index operations_kind on contacts.operations (workspace_id, kind, created_at, id);
create index operations_actor on contacts.operations (workspace_id, actor_id, created_at, id);
create index operations_subject on contacts.operations (workspace_id, subject_id) where subject_id is not null;
create index operations_undo_of on contacts.operations (workspace_id, undo_of) where undo_of is not null;
call platform.protect('contacts.operations');

-- Of each contact only what changed, by name: a column, `custom_fields.<key>`, `tag:<id>` and `list:<id>` (true or false).
create table contacts.operation_changes (
  workspace_id uuid not null,
  operation_id uuid not null,
  contact_id uuid not null,
  before jsonb not null default '{}',
  after jsonb not null default '{}',
  undone_by uuid, -- the operation that took it back
  primary key (workspace_id, operation_id, contact_id),
  constraint operation_change_operation foreign key (workspace_id, operation_id) references contacts.operations on delete cascade,
  constraint operation_change_contact foreign key (workspace_id, contact_id) references contacts.contacts on delete cascade
);
create index operation_changes_contact on contacts.operation_changes (workspace_id, contact_id, operation_id);
call platform.protect('contacts.operation_changes');

-- While a transaction works within an operation (operations/record.ts sets its id), these triggers keep what it changes, in
-- the statement that changes it: no operation of the module has to remember to. Outside of one, their WHEN is all they cost.
create function contacts.keep_columns() returns trigger language plpgsql as $$
declare
  was jsonb;
  becomes jsonb;
begin
  select jsonb_object_agg(key, old_value), jsonb_object_agg(key, new_value) into was, becomes
  from (
    select key, o.value as old_value, n.value as new_value
    from jsonb_each(to_jsonb(old)) o join jsonb_each(to_jsonb(new)) n using (key)
    where key = any ('{email,first_name,last_name,company,job_title,phone,phone_key,gender,avatar_url,language,timezone,source,status,is_active,newsletter_subscribed,marketing_subscribed,notes,user_id,deleted_at}')
    union all
    select 'custom_fields.' || key, coalesce(o.value, 'null'), coalesce(n.value, 'null')
    from jsonb_each(old.custom_fields) o full join jsonb_each(new.custom_fields) n using (key)
    where old.custom_fields is distinct from new.custom_fields
  ) as each
  where old_value is distinct from new_value;
  if was is null then return null; end if;
  insert into contacts.operation_changes as kept (workspace_id, operation_id, contact_id, before, after)
  values (new.workspace_id, current_setting('rapport.operation_id')::uuid, new.id, was, becomes)
  on conflict (workspace_id, operation_id, contact_id) do update
    set before = excluded.before || kept.before, after = kept.after || excluded.after;
  return null;
end $$;
create trigger contacts_kept
  after update of email, first_name, last_name, company, job_title, phone, phone_key, gender, avatar_url, language, timezone,
    source, status, is_active, newsletter_subscribed, marketing_subscribed, custom_fields, notes, user_id, deleted_at
  on contacts.contacts for each row when (current_setting('rapport.operation_id', true) <> '')
  execute function contacts.keep_columns();

create function contacts.keep_places() returns trigger language plpgsql as $$
begin
  insert into contacts.operation_changes as kept (workspace_id, operation_id, contact_id, before, after)
  select workspace_id, current_setting('rapport.operation_id')::uuid, contact_id,
    jsonb_object_agg(place, tg_op = 'DELETE'), jsonb_object_agg(place, tg_op = 'INSERT')
  from (
    select c.workspace_id, c.contact_id,
      case tg_table_name when 'contact_tags' then 'tag:' || (to_jsonb(c)->>'tag_id') else 'list:' || (to_jsonb(c)->>'list_id') end as place
    from changed c) as places
  group by workspace_id, contact_id
  on conflict (workspace_id, operation_id, contact_id) do update
    set before = excluded.before || kept.before, after = kept.after || excluded.after;
  return null;
end $$;
create trigger contact_tags_kept_added after insert on contacts.contact_tags
  referencing new table as changed for each statement when (current_setting('rapport.operation_id', true) <> '')
  execute function contacts.keep_places();
create trigger contact_tags_kept_removed after delete on contacts.contact_tags
  referencing old table as changed for each statement when (current_setting('rapport.operation_id', true) <> '')
  execute function contacts.keep_places();
create trigger list_members_kept_added after insert on contacts.list_members
  referencing new table as changed for each statement when (current_setting('rapport.operation_id', true) <> '')
  execute function contacts.keep_places();
create trigger list_members_kept_removed after delete on contacts.list_members
  referencing old table as changed for each statement when (current_setting('rapport.operation_id', true) <> '')
  execute function contacts.keep_places();
