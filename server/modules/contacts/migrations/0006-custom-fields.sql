-- What people add to a contact. The values stay where document 1 puts them, in contacts.custom_fields; these are the
-- definitions, and for the filterable ones a narrow copy of each value that an index can serve.

create table contacts.custom_fields (
  workspace_id uuid not null,
  id uuid not null,
  key text not null constraint custom_field_key check (key ~ '^[a-z][a-z0-9_]{0,62}$'),
  label text not null,
  type text not null constraint custom_field_type
    check (type in ('text', 'number', 'date', 'boolean', 'choice', 'multi_choice', 'url')),
  description text not null default '',
  choices jsonb not null default '[]',
  required boolean not null default false,
  filterable boolean not null default false,
  position int not null,
  minimum text, -- of a number or a date, as it is written
  maximum text,
  max_length int,
  -- The job that makes stored values and their copies fit the definition; another one that comes up later steps back.
  job_id uuid,
  -- Since when the copies are complete; null: questions go to the contacts themselves.
  indexed_at timestamptz,
  version int not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  primary key (workspace_id, id)
);
-- A deleted field keeps its key: its values are still under it, and come back with it.
create unique index custom_fields_key on contacts.custom_fields (workspace_id, key);
create index custom_fields_filterable on contacts.custom_fields (workspace_id) where filterable and deleted_at is null;
call platform.protect('contacts.custom_fields');
create trigger custom_fields_touch
  before update of label, type, description, choices, required, filterable, position, minimum, maximum, max_length, deleted_at
  on contacts.custom_fields for each row execute function platform.touch();

-- Readers of one value: null where the value is absent or of another type, never an error, whatever people stored.
create function contacts.custom_text(value jsonb) returns text
  language sql immutable parallel safe
  return case when jsonb_typeof(value) = 'string' then value #>> '{}' end;
create function contacts.custom_number(value jsonb) returns numeric
  language sql immutable parallel safe
  return case when jsonb_typeof(value) = 'number' then (value #>> '{}')::numeric end;
create function contacts.custom_boolean(value jsonb) returns boolean
  language sql immutable parallel safe
  return case when jsonb_typeof(value) = 'boolean' then (value #>> '{}')::boolean end;
-- The day is counted on from the first of its month, because casting a 31st of February would be an error.
create function contacts.iso_date(input text) returns date
  language sql immutable parallel safe
  return case when input ~ '^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$' and substr(input, 1, 4) <> '0000' then (
    select case when extract(month from day) = substr(input, 6, 2)::int then day end
    from (values (make_date(substr(input, 1, 4)::int, substr(input, 6, 2)::int, 1) + substr(input, 9, 2)::int - 1)) as d (day)) end;
create function contacts.custom_date(value jsonb) returns date
  language sql immutable parallel safe
  return contacts.iso_date(contacts.custom_text(value));

-- What is compared of a text: folded, and no longer than an index can hold.
create function contacts.custom_key(input text) returns text
  language sql immutable parallel safe strict
  return left(platform.fold(input), 200);

create table contacts.custom_values (
  workspace_id uuid not null,
  contact_id uuid not null,
  field_id uuid not null,
  item smallint not null, -- one for each value of a multiple choice
  text_key text,
  number_value numeric,
  date_value date,
  primary key (workspace_id, contact_id, field_id, item),
  constraint custom_value_contact foreign key (workspace_id, contact_id) references contacts.contacts on delete cascade,
  constraint custom_value_field foreign key (workspace_id, field_id) references contacts.custom_fields on delete cascade
);
create index custom_values_text on contacts.custom_values (workspace_id, field_id, text_key, contact_id)
  where text_key is not null;
create index custom_values_number on contacts.custom_values (workspace_id, field_id, number_value, contact_id)
  where number_value is not null;
create index custom_values_date on contacts.custom_values (workspace_id, field_id, date_value, contact_id)
  where date_value is not null;
call platform.protect('contacts.custom_values');
-- As with contacts.contact_rows: comparing a number is not "leakproof", and the tenant's policy would keep it from its index.
create view contacts.custom_value_rows as
  select * from contacts.custom_values where workspace_id = platform.workspace_id();
grant select on contacts.custom_value_rows to rapport_app;

-- The rows that stand for a stored value; none for one that does not fit the field's type.
create function contacts.custom_items(type text, value jsonb)
  returns table (item smallint, text_key text, number_value numeric, date_value date)
  language sql immutable parallel safe
  as $$
    select 0::smallint, contacts.custom_key(contacts.custom_text(value)), null::numeric, null::date
    where type in ('text', 'choice', 'url') and jsonb_typeof(value) = 'string'
    union all
    select 0::smallint, value #>> '{}', null, null where type = 'boolean' and jsonb_typeof(value) = 'boolean'
    union all
    select 0::smallint, null, contacts.custom_number(value), null where type = 'number' and jsonb_typeof(value) = 'number'
    union all
    select 0::smallint, null, null, contacts.custom_date(value)
    where type = 'date' and contacts.custom_date(value) is not null
    union all
    select each.number::smallint, contacts.custom_key(each.element), null, null
    from jsonb_array_elements_text(case when jsonb_typeof(value) = 'array' then value else '[]' end)
      with ordinality as each (element, number)
    where type = 'multi_choice' and each.number <= 1000 and each.element is not null
  $$;

-- Statement by statement, so that an import of a thousand rows asks once whether there is anything to do. The shared
-- lock is the other half of the one that the job takes before it copies what is there: whoever did not see yet that
-- a field became filterable has ended by then.
create function contacts.copy_custom_values() returns trigger language plpgsql as $$
begin
  perform pg_advisory_xact_lock_shared(7276774, hashtext(platform.workspace_id()::text));
  if not exists (select from contacts.custom_fields where filterable and deleted_at is null) then
    return null;
  end if;
  if tg_op = 'UPDATE' then
    delete from contacts.custom_values v
    using old_rows o, new_rows n, contacts.custom_fields f
    where n.workspace_id = o.workspace_id and n.id = o.id and n.custom_fields is distinct from o.custom_fields
      and f.workspace_id = n.workspace_id and f.filterable and f.deleted_at is null
      and n.custom_fields -> f.key is distinct from o.custom_fields -> f.key
      and v.workspace_id = n.workspace_id and v.contact_id = n.id and v.field_id = f.id;
    insert into contacts.custom_values (workspace_id, contact_id, field_id, item, text_key, number_value, date_value)
    select n.workspace_id, n.id, f.id, i.item, i.text_key, i.number_value, i.date_value
    from new_rows n join old_rows o on o.workspace_id = n.workspace_id and o.id = n.id
    join contacts.custom_fields f on f.workspace_id = n.workspace_id and f.filterable and f.deleted_at is null
    cross join lateral contacts.custom_items(f.type, n.custom_fields -> f.key) i
    where n.custom_fields is distinct from o.custom_fields
      and n.custom_fields -> f.key is distinct from o.custom_fields -> f.key
    on conflict do nothing;
  else
    insert into contacts.custom_values (workspace_id, contact_id, field_id, item, text_key, number_value, date_value)
    select n.workspace_id, n.id, f.id, i.item, i.text_key, i.number_value, i.date_value
    from new_rows n
    join contacts.custom_fields f on f.workspace_id = n.workspace_id and f.filterable and f.deleted_at is null
    cross join lateral contacts.custom_items(f.type, n.custom_fields -> f.key) i
    where n.custom_fields <> '{}'
    on conflict do nothing;
  end if;
  return null;
end $$;
create trigger contacts_custom_inserted after insert on contacts.contacts
  referencing new table as new_rows for each statement execute function contacts.copy_custom_values();
create trigger contacts_custom_updated after update on contacts.contacts
  referencing old table as old_rows new table as new_rows for each statement execute function contacts.copy_custom_values();

-- A stored value as another type would have it; null where it cannot be.
create function contacts.convert_custom(value jsonb, type text, choices jsonb) returns jsonb
  language sql immutable parallel safe
  return (
    with plain as (
      select case
        when jsonb_typeof(value) in ('string', 'number', 'boolean') then trim(value #>> '{}')
        when jsonb_typeof(value) = 'array' and jsonb_array_length(value) = 1 and jsonb_typeof(value -> 0) = 'string'
          then value ->> 0 end as text)
    select case type
      when 'text' then to_jsonb(case when jsonb_typeof(value) = 'string' then value #>> '{}' else plain.text end)
      when 'url' then case when plain.text ~* '^https?://[^\s/]' then to_jsonb(plain.text) end
      when 'number' then case
        when jsonb_typeof(value) = 'number' then value
        when plain.text ~ '^[+-]?\d{1,15}(\.\d{1,15})?$' then to_jsonb(plain.text::numeric) end
      when 'date' then to_jsonb(contacts.iso_date(
        case when plain.text ~ '^\d{4}-\d\d-\d\dT[\d:.]+Z?$' then left(plain.text, 10) else plain.text end)::text)
      when 'boolean' then case
        when lower(plain.text) in ('true', 'yes', '1') then 'true'::jsonb
        when lower(plain.text) in ('false', 'no', '0') then 'false'::jsonb end
      when 'choice' then case when choices @> jsonb_build_array(jsonb_build_object('value', plain.text)) then to_jsonb(plain.text) end
      when 'multi_choice' then (
        select case when bool_and(choices @> jsonb_build_array(jsonb_build_object('value', each.element)))
          then jsonb_agg(distinct each.element) end
        from jsonb_array_elements_text(
          case when jsonb_typeof(value) = 'array' then value else to_jsonb(regexp_split_to_array(plain.text, '\s*[,;]\s*')) end)
          as each (element))
    end
    from plain);

-- Choices that go are replaced by others, or by nothing; null where nothing is left.
create function contacts.replace_choices(value jsonb, replacements jsonb) returns jsonb
  language sql immutable parallel safe
  return case
    when jsonb_typeof(value) = 'string' and replacements ? (value #>> '{}')
      then nullif(replacements -> (value #>> '{}'), 'null')
    when jsonb_typeof(value) = 'array' then (
      select jsonb_agg(distinct e.kept)
      from jsonb_array_elements(value) as each (element),
        lateral (select case when jsonb_typeof(each.element) = 'string' and replacements ? (each.element #>> '{}')
          then nullif(replacements -> (each.element #>> '{}'), 'null') else each.element end as kept) as e
      where e.kept is not null)
    else value end;
