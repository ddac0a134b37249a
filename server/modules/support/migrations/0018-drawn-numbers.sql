-- The day's numbers are drawn from the platform's counters: docs/decisions/0039.
select platform.go_on_counting(workspace_id, 'ticket ' || to_char(day, 'YYYYMMDD'), last_number) from support.ticket_days;
drop table support.ticket_days;
