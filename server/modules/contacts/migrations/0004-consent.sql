-- Double opt-in by the public form.

-- What a form asked for, until the job behind it has looked at it: the answer to the form is the same for everybody
-- because nothing is looked up before it. Rows live for seconds.
create table contacts.public_requests (
  workspace_id uuid not null,
  id uuid not null,
  kind text not null constraint public_request_kind check (kind in ('subscribe', 'unsubscribe')),
  email text not null,
  details jsonb not null,
  created_at timestamptz not null default now(),
  primary key (workspace_id, id)
);
create index public_requests_age on contacts.public_requests (workspace_id, created_at);
call platform.protect('contacts.public_requests');

-- When an address last got a mail that anybody can ask for in its name. The upsert on it is the limit.
create table contacts.confirmation_mails (
  workspace_id uuid not null,
  address_hash bytea not null,
  kind text not null,
  request_id uuid not null,
  sent_at timestamptz not null default now(),
  primary key (workspace_id, address_hash, kind)
);
create index confirmation_mails_age on contacts.confirmation_mails (workspace_id, sent_at);
call platform.protect('contacts.confirmation_mails');
