-- E-mail to ticket: the mailboxes, and which mail belongs to which ticket.

create table support.mailboxes (
  workspace_id uuid not null,
  id uuid not null,
  address_id uuid not null, -- of the address that mail is taken for
  address text not null,
  purpose text not null default 'tickets' constraint mailbox_purpose check (purpose in ('tickets', 'bounces')),
  name text not null,
  signature text not null default '',
  auto_acknowledge boolean not null default true,
  version int not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id)
);
create index mailboxes_by_time on support.mailboxes (workspace_id, created_at, id);
create unique index mailboxes_address on support.mailboxes (workspace_id, address_id);
call platform.protect('support.mailboxes');
create trigger mailboxes_touch before update of address, purpose, name, signature, auto_acknowledge
  on support.mailboxes for each row execute function platform.touch();

-- Mails that came for a ticket and those that went out for it. Answers are recognised by their ids.
create table support.ticket_mails (
  workspace_id uuid not null,
  id uuid not null,
  ticket_id uuid not null,
  message_id uuid, -- null: the mail that opened the ticket, or an acknowledgement
  direction text not null constraint ticket_mail_direction check (direction in ('in', 'out')),
  mail_id text, -- the Message-ID
  email text not null, -- of the person outside, in small letters
  mailbox_id uuid,
  subject text not null default '',
  html text, -- cleaned, without what it quoted
  sender text, -- whether the domain of From vouched for it
  state text not null constraint ticket_mail_state check (state in ('received', 'queued', 'sent', 'failed')),
  reason text,
  created_at timestamptz not null default now(),
  sent_at timestamptz,
  files_kept_at timestamptz, -- what came with it is attached
  primary key (workspace_id, id),
  constraint ticket_mail_ticket foreign key (workspace_id, ticket_id) references support.tickets on delete cascade
);
create index ticket_mails_of on support.ticket_mails (workspace_id, ticket_id, created_at, id);
create index ticket_mails_by_mail_id on support.ticket_mails (workspace_id, mail_id);
create index ticket_mails_by_email on support.ticket_mails (workspace_id, email);
create unique index ticket_mail_sent_once on support.ticket_mails (workspace_id, message_id) where direction = 'out' and message_id is not null;
create unique index ticket_mail_acknowledged_once on support.ticket_mails (workspace_id, ticket_id) where direction = 'out' and message_id is null;
call platform.protect('support.ticket_mails');
