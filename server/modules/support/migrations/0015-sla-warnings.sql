-- A word before a promise is broken, when so much of its time is gone.
alter table support.sla_policies
  add column warn_at_percent int not null default 80 constraint policy_warning check (warn_at_percent between 50 and 95);

-- When the first of the ticket's running clocks comes to that point, or came to it; null while none does.
alter table support.tickets add column at_risk_at timestamptz;
create or replace view support.ticket_rows as select * from support.tickets where workspace_id = platform.workspace_id();
create index tickets_at_risk on support.tickets (workspace_id, at_risk_at) where deleted_at is null and at_risk_at is not null;

-- Clocks that run already are looked at once, and then know when to warn.
update support.ticket_clocks set next_due_at = least(next_due_at, now()) where next_due_at is not null;
