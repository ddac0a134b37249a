-- What the kept answers about tickets are made of (docs/decisions/0029). Who follows a ticket decides who sees it.
create trigger tickets_written after insert or update or delete on support.tickets
  for each statement execute function platform.note_write('tickets');
create trigger messages_written after insert or update or delete on support.messages
  for each statement execute function platform.note_write('tickets');
create trigger mentions_written after insert or update or delete on support.mentions
  for each statement execute function platform.note_write('tickets');
create trigger followers_written after insert or update or delete on support.followers
  for each statement execute function platform.note_write('tickets');
create trigger message_reads_written after insert or update or delete on support.message_reads
  for each statement execute function platform.note_write('ticket_reads');
create trigger attachments_written after insert or update or delete on support.attachments
  for each statement execute function platform.note_write('ticket_files');
create trigger ticket_figures_written after insert or update or delete on support.ticket_figures
  for each statement execute function platform.note_write('ticket_figures');
create trigger workspace_statistics_written after insert or update or delete on support.workspace_statistics
  for each statement execute function platform.note_write('ticket_figures');
