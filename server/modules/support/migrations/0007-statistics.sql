-- Times and counts of tickets, taken each hour, so that a year of them is read in one go.

-- What each ticket adds to figures over time. Business time is of the calendar that was promised by, or of the oldest.
create table support.ticket_figures (
  workspace_id uuid not null,
  ticket_id uuid not null,
  opened_at timestamptz not null,
  answered_at timestamptz,
  ended_at timestamptz,
  first_response_ms bigint,
  first_response_business_ms bigint,
  resolution_ms bigint,
  resolution_business_ms bigint,
  escalated_at timestamptz,
  is_late boolean not null, -- whether any promise was broken
  rating int,
  rated_at timestamptz,
  primary key (workspace_id, ticket_id),
  constraint figures_ticket foreign key (workspace_id, ticket_id) references support.tickets on delete cascade
);
create index ticket_figures_opened on support.ticket_figures (workspace_id, opened_at);
create index ticket_figures_answered on support.ticket_figures (workspace_id, answered_at) where answered_at is not null;
create index ticket_figures_ended on support.ticket_figures (workspace_id, ended_at) where ended_at is not null;
create index ticket_figures_rated on support.ticket_figures (workspace_id, rated_at) where rated_at is not null;
call platform.protect('support.ticket_figures');

-- How far the hourly count has come, and how the workspace stood then; times and rates are of the last thirty days.
create table support.workspace_statistics (
  workspace_id uuid not null,
  counted_to timestamptz not null,
  by_status jsonb not null,
  by_priority jsonb not null,
  opened bigint not null,
  escalated bigint not null,
  late bigint not null,
  answered bigint not null,
  first_response_ms_sum numeric not null,
  ended bigint not null,
  resolution_ms_sum numeric not null,
  rated bigint not null,
  rating_sum bigint not null,
  loads numeric[] not null, -- of each agent who has anything in hand
  primary key (workspace_id)
);
call platform.protect('support.workspace_statistics');

-- Sums over all workspaces, for /metrics.
create function support.totals() returns table (
    by_status jsonb, by_priority jsonb, opened bigint, escalated bigint, late bigint, average_first_response_ms numeric,
    average_resolution_ms numeric, average_rating numeric, load_min numeric, load_average numeric, load_max numeric)
  language sql stable security definer set search_path = pg_catalog, pg_temp
  as $$
    select
      (select coalesce(jsonb_object_agg(k.key, k.count), '{}') from (
        select e.key, sum(e.value::bigint) as count from support.workspace_statistics w, jsonb_each_text(w.by_status) as e group by 1) as k),
      (select coalesce(jsonb_object_agg(k.key, k.count), '{}') from (
        select e.key, sum(e.value::bigint) as count from support.workspace_statistics w, jsonb_each_text(w.by_priority) as e group by 1) as k),
      coalesce(sum(s.opened), 0)::bigint, coalesce(sum(s.escalated), 0)::bigint, coalesce(sum(s.late), 0)::bigint,
      coalesce(sum(s.first_response_ms_sum) / nullif(sum(s.answered), 0), 0),
      coalesce(sum(s.resolution_ms_sum) / nullif(sum(s.ended), 0), 0),
      coalesce(sum(s.rating_sum)::numeric / nullif(sum(s.rated), 0), 0),
      coalesce((select min(l) from support.workspace_statistics w, unnest(w.loads) as l), 0),
      coalesce((select avg(l) from support.workspace_statistics w, unnest(w.loads) as l), 0),
      coalesce((select max(l) from support.workspace_statistics w, unnest(w.loads) as l), 0)
    from support.workspace_statistics s
  $$;
revoke execute on function support.totals() from public;
grant execute on function support.totals() to rapport_app;
