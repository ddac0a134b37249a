-- Reports: what is asked under a name.

create table contacts.reports (
  workspace_id uuid not null,
  id uuid not null,
  name text not null constraint report_name check (length(name) between 1 and 100),
  description text not null default '',
  definition jsonb not null, -- filter, groups, measures, period and order, as POST /contacts/reports/run takes them
  created_by uuid,
  created_by_name text not null default '',
  version int not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  primary key (workspace_id, id)
);
create unique index reports_name on contacts.reports (workspace_id, lower(name)) where deleted_at is null;
create trigger touch before update of name, description, definition, deleted_at
  on contacts.reports for each row execute function platform.touch();
call platform.protect('contacts.reports');

-- When a report goes out by mail, and to whom. Times are those of a wall clock in a time zone.
create table contacts.report_schedules (
  workspace_id uuid not null,
  id uuid not null,
  report_id uuid not null,
  frequency text not null constraint report_frequency check (frequency in ('daily', 'weekly', 'monthly')),
  at_time text not null constraint report_time check (at_time ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'),
  weekday int constraint report_weekday check (weekday between 1 and 7), -- 1 is Monday
  month_day int constraint report_month_day check (month_day between 1 and 31), -- the last one of shorter months
  timezone text not null,
  format text not null constraint report_schedule_format check (format in ('csv', 'xlsx', 'pdf')),
  language text not null,
  member_ids uuid[] not null default '{}',
  addresses text[] not null default '{}',
  is_paused boolean not null default false,
  next_run_at timestamptz not null,
  last_run_at timestamptz,
  created_by uuid,
  created_by_name text not null default '',
  version int not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id),
  constraint report_schedule_report foreign key (workspace_id, report_id) references contacts.reports on delete cascade,
  constraint report_schedule_day check (
    (weekday is not null) = (frequency = 'weekly') and (month_day is not null) = (frequency = 'monthly'))
);
create index report_schedules_report on contacts.report_schedules (workspace_id, report_id, created_at, id);
create index report_schedules_due on contacts.report_schedules (next_run_at) where not is_paused;
create trigger touch before update of frequency, at_time, weekday, month_day, timezone, format, language, member_ids, addresses, is_paused
  on contacts.report_schedules for each row execute function platform.touch();
call platform.protect('contacts.report_schedules');

-- Every time that a report was made as a file. The file lies in the store for 90 days; the row stays as long.
create table contacts.report_runs (
  workspace_id uuid not null,
  id uuid not null,
  report_id uuid not null,
  schedule_id uuid,
  due_at timestamptz, -- which tick of the schedule it is for
  report_name text not null,
  definition jsonb not null, -- as it was then
  format text not null constraint report_run_format check (format in ('csv', 'xlsx', 'pdf')),
  language text not null,
  job_id uuid not null,
  file_key text,
  file_name text not null,
  rows int,
  groups_total int,
  size_bytes bigint,
  started_by uuid,
  started_by_name text not null default '',
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  expires_at timestamptz not null,
  primary key (workspace_id, id),
  constraint report_run_report foreign key (workspace_id, report_id) references contacts.reports on delete cascade
);
create unique index report_runs_tick on contacts.report_runs (workspace_id, schedule_id, due_at) where due_at is not null;
create index report_runs_report on contacts.report_runs (workspace_id, report_id, created_at, id);
create index report_runs_kept on contacts.report_runs (workspace_id, expires_at);
call platform.protect('contacts.report_runs');

-- Who gets the file of a run. `sending` is written before the mail goes out, so that no try sends it again.
create table contacts.report_mails (
  workspace_id uuid not null,
  run_id uuid not null,
  address text not null,
  state text not null default 'waiting'
    constraint report_mail_state check (state in ('waiting', 'sending', 'sent', 'failed', 'skipped')),
  detail text,
  sent_at timestamptz,
  primary key (workspace_id, run_id, address),
  constraint report_mail_run foreign key (workspace_id, run_id) references contacts.report_runs on delete cascade
);
create index report_mails_address on contacts.report_mails (workspace_id, lower(address));
call platform.protect('contacts.report_mails');

-- For the clock, which looks across workspaces: it takes no input, and answers which workspaces have a report to send.
create function contacts.workspaces_with_due_reports() returns table (workspace_id uuid)
  language sql stable security definer set search_path = pg_catalog as $$
  select distinct s.workspace_id from contacts.report_schedules s where not s.is_paused and s.next_run_at <= now()
$$;
revoke execute on function contacts.workspaces_with_due_reports() from public;
grant execute on function contacts.workspaces_with_due_reports() to rapport_app;
