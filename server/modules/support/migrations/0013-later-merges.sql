-- Whether a ticket was merged again is asked by what each merge remembers of it: under the policies, no index on a list of
-- ids would serve.
drop index support.ticket_merges_duplicates;
create index ticket_merge_rows_ticket on support.ticket_merge_rows (workspace_id, row_id) where table_name = 'tickets';
