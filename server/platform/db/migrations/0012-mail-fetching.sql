-- How the last visit to the mailbox elsewhere went (IMAP_URL): one row for the installation, written by the worker.
create table platform.mail_fetching (
  one boolean primary key default true constraint mail_fetching_one check (one),
  visited_at timestamptz not null,
  succeeded_at timestamptz,
  failures int not null,
  problem text,
  detail text, -- what to mend, in words
  passed_over int not null -- mails that stay there: for nobody here, too large, or failing
);
grant select, insert, update on platform.mail_fetching to rapport_app;
