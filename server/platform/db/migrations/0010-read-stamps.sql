-- Tells the cache of reads what was written, exactly and without waiting: docs/decisions/0029. A transaction that writes to a
-- kind of thing renews one stamp of it; who reads knows by all stamps together whether what was kept is still so. Stamps
-- that running transactions hold are passed over, so there are as many as ever wrote at the same time, and nobody waits.
create table platform.read_stamps (
  workspace_id uuid not null,
  kind text not null,
  slot uuid not null default gen_random_uuid(),
  stamp uuid not null default gen_random_uuid(),
  primary key (workspace_id, kind, slot)
) with (fillfactor = 50);
call platform.protect('platform.read_stamps');

-- For statement triggers; its argument is the kind. Once in a transaction for each kind: the setting is forgotten with the
-- transaction, and with a savepoint that is rolled back.
create function platform.note_write() returns trigger language plpgsql as $$
declare
  kind_written constant text := tg_argv[0];
  flag constant text := 'rapport.wrote_' || kind_written;
  workspace constant uuid := platform.workspace_id();
begin
  if workspace is null or current_setting(flag, true) = workspace::text then
    return null;
  end if;
  update platform.read_stamps s set stamp = gen_random_uuid()
  from (
    select slot from platform.read_stamps
    where workspace_id = workspace and kind = kind_written
    limit 1 for update skip locked) as free
  where s.workspace_id = workspace and s.kind = kind_written and s.slot = free.slot;
  if not found then
    insert into platform.read_stamps (workspace_id, kind) values (workspace, kind_written);
  end if;
  perform set_config(flag, workspace::text, true);
  return null;
end $$;
