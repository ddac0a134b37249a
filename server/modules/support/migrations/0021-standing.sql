-- How things stand is counted when it is asked, over all tickets, and from this index alone.
create index tickets_standing on support.tickets (workspace_id, status) include (priority, assigned_to, due_at)
  where deleted_at is null and merged_into is null;
