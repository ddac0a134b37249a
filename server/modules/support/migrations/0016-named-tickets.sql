-- A mail that names a ticket and is not believed opens one of its own; for the house the two are linked.
alter table support.ticket_links drop constraint ticket_link_kind;
alter table support.ticket_links add constraint ticket_link_kind
  check (kind in ('related', 'duplicate_of', 'blocks', 'causes', 'may_belong_to'));
