-- Many events of one name in one row: `data` is a list of {id, subject, data}. A row per event would cost an import of a
-- hundred thousand people more than the people themselves (docs/decisions/0011).
alter table platform.outbox add column is_bundle boolean not null default false;
