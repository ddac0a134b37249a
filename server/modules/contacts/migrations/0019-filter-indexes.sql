-- What filters asked for without an index, found with a million contacts.

-- Whoever said no, or was asked and has not answered: few, beside those who agreed or were never asked.
create index consents_refusals on contacts.consents (workspace_id, purpose, decision, contact_id)
  where decision <> 'granted';

create index contacts_job_title on contacts.contacts (workspace_id, (platform.fold(job_title)))
  where deleted_at is null and job_title is not null;

-- PostgreSQL takes no statistics from a partial index, so of an expression it knows nothing, and guesses that every value
-- is had by one in two hundred: a rare one was then sought along the order of the page, through everybody.
create statistics contacts.contacts_known_source on (platform.fold(source)) from contacts.contacts;
create statistics contacts.contacts_known_job on (platform.fold(job_title)) from contacts.contacts;
create statistics contacts.contacts_known_name on (platform.fold(first_name || ' ' || last_name)) from contacts.contacts;
create statistics contacts.contacts_known_first on (platform.fold(coalesce(first_name, ''))) from contacts.contacts;
create statistics contacts.contacts_known_last on (platform.fold(coalesce(last_name, ''))) from contacts.contacts;
create statistics contacts.contacts_known_booking on (coalesce(last_booking_date, '-infinity'::timestamptz)) from contacts.contacts;
create statistics contacts.contacts_known_opening on (coalesce(last_email_opened_at, '-infinity'::timestamptz)) from contacts.contacts;
analyze contacts.contacts;
