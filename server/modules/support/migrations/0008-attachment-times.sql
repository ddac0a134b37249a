-- When what is known of a file changed last: the scanner's verdict may come after the file.
alter table support.attachments add column updated_at timestamptz not null default now();
update support.attachments set updated_at = created_at;
