-- A ticket that was merged into another is counted there alone; the last time of each says which it is.
alter table contacts.ticket_facts
  add column merged_at timestamptz,
  add column unmerged_at timestamptz,
  add column is_merged boolean not null default false;
