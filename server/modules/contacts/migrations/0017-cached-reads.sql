-- Tells the cache of reads what was written, exactly and without waiting: docs/decisions/0029. A transaction that writes to a
-- kind of thing renews one stamp of it; who reads knows by all stamps together whether what was kept is still so. Stamps
-- that running transactions hold are passed over, so there are as many as ever wrote at the same time, and nobody waits.
create table contacts.read_stamps (
  workspace_id uuid not null,
  kind text not null constraint read_stamp_kind check (kind in ('contacts', 'timeline', 'lists', 'tags')),
  slot uuid not null default gen_random_uuid(),
  stamp uuid not null default gen_random_uuid(),
  primary key (workspace_id, kind, slot)
) with (fillfactor = 50);
call platform.protect('contacts.read_stamps');

-- Once in a transaction for each kind: the setting is forgotten with the transaction, and with a savepoint that is rolled back.
create function contacts.note_write() returns trigger language plpgsql as $$
declare
  kind_written constant text := tg_argv[0];
  flag constant text := 'rapport.wrote_' || kind_written;
  workspace constant uuid := platform.workspace_id();
begin
  if workspace is null or current_setting(flag, true) = workspace::text then
    return null;
  end if;
  update contacts.read_stamps s set stamp = gen_random_uuid()
  from (
    select slot from contacts.read_stamps
    where workspace_id = workspace and kind = kind_written
    limit 1 for update skip locked) as free
  where s.workspace_id = workspace and s.kind = kind_written and s.slot = free.slot;
  if not found then
    insert into contacts.read_stamps (workspace_id, kind) values (workspace, kind_written);
  end if;
  perform set_config(flag, workspace::text, true);
  return null;
end $$;

create trigger contacts_written after insert or update or delete on contacts.contacts
  for each statement execute function contacts.note_write('contacts');
create trigger contact_tags_written after insert or update or delete on contacts.contact_tags
  for each statement execute function contacts.note_write('contacts');
create trigger list_members_written after insert or update or delete on contacts.list_members
  for each statement execute function contacts.note_write('contacts');
create trigger interactions_written after insert or update or delete on contacts.interactions
  for each statement execute function contacts.note_write('timeline');
create trigger lists_written after insert or update or delete on contacts.lists
  for each statement execute function contacts.note_write('lists');
create trigger tags_written after insert or update or delete on contacts.tags
  for each statement execute function contacts.note_write('tags');
