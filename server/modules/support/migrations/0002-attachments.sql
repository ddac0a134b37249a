-- Files that belong to a ticket, or to one message of it: then they are seen by whoever sees the message.
create table support.attachments (
  workspace_id uuid not null,
  id uuid not null,
  ticket_id uuid not null,
  message_id uuid,
  user_id uuid,
  author_kind text not null constraint attachment_author check (author_kind in ('requester', 'house', 'program')),
  file_name text not null, -- as it is shown
  file_key text not null,
  file_type text not null constraint attachment_type check (file_type in ('image', 'pdf', 'document', 'text')),
  mime_type text not null,
  size_bytes bigint not null,
  sha256 text not null,
  scan text not null constraint attachment_scan check (scan in ('not_scanned', 'clean', 'pending', 'infected')),
  created_at timestamptz not null default now(),
  primary key (workspace_id, id),
  constraint attachment_ticket foreign key (workspace_id, ticket_id) references support.tickets on delete cascade,
  constraint attachment_message foreign key (workspace_id, message_id) references support.messages on delete cascade
);
create index attachments_of on support.attachments (workspace_id, ticket_id, created_at, id);
create index attachments_of_message on support.attachments (workspace_id, message_id) where message_id is not null;
call platform.protect('support.attachments');
