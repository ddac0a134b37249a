-- Mail that arrives: kept as it came before the other server is told that it was taken, then read and handled.

-- The addresses that mail is taken for. Each belongs to one workspace of the whole installation.
create table platform.mail_addresses (
  workspace_id uuid not null,
  id uuid not null,
  address text not null constraint mail_address_small check (address = lower(address)),
  purpose text not null constraint mail_address_purpose check (purpose in ('tickets', 'bounces')),
  created_at timestamptz not null default now(),
  primary key (workspace_id, id)
);
create unique index mail_address_taken on platform.mail_addresses (address);
call platform.protect('platform.mail_addresses');

-- A server that hands over mail names addresses, and no workspace.
create function platform.find_mail_addresses(asked text[])
  returns table (workspace_id uuid, id uuid, address text, purpose text)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  return query
    select a.workspace_id, a.id, a.address, a.purpose from platform.mail_addresses a where a.address = any(asked);
end $$;
revoke execute on function platform.find_mail_addresses(text[]) from public;
grant execute on function platform.find_mail_addresses(text[]) to rapport_app;

create table platform.inbound_mails (
  workspace_id uuid not null,
  id uuid not null,
  state text not null default 'received'
    constraint inbound_mail_state check (state in ('received', 'handled', 'ignored', 'quarantined', 'erased')),
  door text not null constraint inbound_mail_door check (door in ('smtp', 'imap')),
  raw bytea, -- small mails lie here, and are safe with the row; large ones are files
  file_key text,
  size_bytes bigint not null,
  sha256 text not null,
  dedupe_key text not null,
  message_id text,
  envelope_from text, -- '' is the null sender; null where the door does not know it
  recipients text[] not null, -- ours, as they were named, tokens included
  client jsonb, -- ip and greeting of the other server
  from_address text,
  subject text,
  kind text,
  outcome text, -- what was made of it
  attempts int not null default 0,
  error text,
  received_at timestamptz not null default now(),
  handled_at timestamptz,
  primary key (workspace_id, id)
);
create unique index inbound_mail_once on platform.inbound_mails (workspace_id, dedupe_key);
create index inbound_mails_by_state on platform.inbound_mails (workspace_id, state, received_at, id);
create index inbound_mails_by_time on platform.inbound_mails (workspace_id, received_at, id);
create index inbound_mails_by_sender on platform.inbound_mails (workspace_id, from_address);
create index inbound_mails_age on platform.inbound_mails (received_at);
call platform.protect('platform.inbound_mails');

-- What waits to be handled, across workspaces: ids alone, so it needs no tenant policy.
create table platform.mail_queue (
  workspace_id uuid not null,
  mail_id uuid not null,
  not_before timestamptz not null default now(),
  attempts int not null default 0,
  primary key (workspace_id, mail_id)
);
create index mail_queue_due on platform.mail_queue (not_before, mail_id);
grant select, insert, update, delete on platform.mail_queue to rapport_app;

-- Mails that have served their time: handled and ignored ones after 30 days, those in quarantine after 90, erased ones at once.
create function platform.mails_to_forget() returns table (workspace_id uuid, id uuid)
  language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
  return query
    select m.workspace_id, m.id from platform.inbound_mails m
    where m.state = 'erased' or (m.state <> 'received' and m.received_at < now() - interval '30 days'
      and (m.state <> 'quarantined' or m.received_at < now() - interval '90 days'))
    order by m.received_at limit 1000;
end $$;
revoke execute on function platform.mails_to_forget() from public;
grant execute on function platform.mails_to_forget() to rapport_app;
