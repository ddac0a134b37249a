-- What modules may join: how the jobs that they named are doing. The table itself is the platform's own.
create view platform.job_states with (security_invoker = true) as
  select workspace_id, id, kind, status, error, progress_done, progress_total, created_at, finished_at from platform.jobs;
grant select on platform.job_states to rapport_app;
