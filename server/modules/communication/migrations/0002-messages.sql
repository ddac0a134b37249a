-- Templates, and the inbox that keeps what the sandbox would have sent.

create table communication.templates (
  workspace_id uuid not null,
  id uuid not null,
  name text not null,
  subject text not null default '',
  body_html text not null default '',
  body_text text, -- null: made from the HTML
  created_by uuid,
  version int not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  primary key (workspace_id, id)
);
-- A deleted template never stands in the way of a new one.
create unique index templates_name on communication.templates (workspace_id, lower(name)) where deleted_at is null;
create index templates_recent on communication.templates (workspace_id, updated_at, id) where deleted_at is null;
call platform.protect('communication.templates');
create trigger templates_touch before update of name, subject, body_html, body_text, deleted_at
  on communication.templates for each row execute function platform.touch();

-- Whole messages as they would have gone out. Those of accounts (a link to a new password) are `confidential`: whoever
-- may look at campaigns must not get into a colleague's account by them.
create table communication.sandbox_messages (
  workspace_id uuid not null,
  id uuid not null,
  sender text not null,
  recipient text not null,
  subject text not null,
  confidential boolean not null default false,
  campaign_id uuid,
  contact_id uuid,
  raw bytea not null,
  size_bytes int not null,
  received_at timestamptz not null default now(),
  primary key (workspace_id, id)
);
create index sandbox_recent on communication.sandbox_messages (workspace_id, received_at, id);
create index sandbox_contact on communication.sandbox_messages (workspace_id, contact_id) where contact_id is not null;
call platform.protect('communication.sandbox_messages');
