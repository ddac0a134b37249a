-- Stamps of reads are the platform's, now that others than contacts are cached by them. Whoever asks finds no old stamp, and so
-- nothing that was kept under one.
insert into platform.read_stamps (workspace_id, kind, slot, stamp)
select workspace_id, kind, slot, gen_random_uuid() from contacts.read_stamps;

drop trigger contacts_written on contacts.contacts;
drop trigger contact_tags_written on contacts.contact_tags;
drop trigger list_members_written on contacts.list_members;
drop trigger interactions_written on contacts.interactions;
drop trigger lists_written on contacts.lists;
drop trigger tags_written on contacts.tags;
drop function contacts.note_write;
drop table contacts.read_stamps;

create trigger contacts_written after insert or update or delete on contacts.contacts
  for each statement execute function platform.note_write('contacts');
create trigger contact_tags_written after insert or update or delete on contacts.contact_tags
  for each statement execute function platform.note_write('contacts');
create trigger list_members_written after insert or update or delete on contacts.list_members
  for each statement execute function platform.note_write('contacts');
create trigger interactions_written after insert or update or delete on contacts.interactions
  for each statement execute function platform.note_write('timeline');
create trigger lists_written after insert or update or delete on contacts.lists
  for each statement execute function platform.note_write('lists');
create trigger tags_written after insert or update or delete on contacts.tags
  for each statement execute function platform.note_write('tags');
