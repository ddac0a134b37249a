-- Numbers that are drawn at once and never given back, so that nobody waits for another's transaction:
-- docs/decisions/0039.
create table platform.counters (
  workspace_id uuid not null,
  name text not null,
  last_number bigint not null,
  primary key (workspace_id, name)
) with (fillfactor = 50);
call platform.protect('platform.counters');

-- For migrations of modules that have counted by themselves before.
create function platform.go_on_counting(workspace uuid, counter text, last bigint) returns void language sql as $$
  insert into platform.counters (workspace_id, name, last_number) values (workspace, counter, last);
$$;
revoke execute on function platform.go_on_counting(uuid, text, bigint) from public;
