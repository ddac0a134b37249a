-- Campaigns, and the delivery ledger: one row per recipient that tells who got it, who did not, and why.

create schema communication;
grant usage on schema communication to rapport_app;

create table communication.campaigns (
  workspace_id uuid not null,
  id uuid not null,
  name text not null,
  description text not null default '',
  category text not null default 'marketing'
    constraint campaign_category check (category in ('marketing', 'newsletter', 'transactional')),
  status text not null default 'draft'
    constraint campaign_status check (status in ('draft', 'scheduled', 'active', 'paused', 'completed', 'canceled')),
  start_date timestamptz,
  end_date timestamptz,
  target_audience jsonb not null default '{}',
  budget numeric(14, 2),
  success_metrics jsonb not null default '{}',
  scheduled_at timestamptz,
  timezone text,
  launched_at timestamptz,
  frozen_at timestamptz, -- the audience is complete
  completed_at timestamptz,
  pause_reason text,
  created_by uuid,
  version int not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  primary key (workspace_id, id)
);
create index campaigns_recent on communication.campaigns (workspace_id, created_at, id) where deleted_at is null;
call platform.protect('communication.campaigns');
create trigger campaigns_touch
  before update of name, description, category, status, start_date, end_date, target_audience, budget, success_metrics,
    scheduled_at, timezone, deleted_at
  on communication.campaigns for each row execute function platform.touch();

create table communication.campaign_channels (
  workspace_id uuid not null,
  campaign_id uuid not null,
  number int not null,
  type text not null constraint channel_type check (type in ('email', 'sms', 'social_media', 'web')),
  config jsonb not null default '{}',
  content_template text not null default '',
  schedule jsonb not null default '{}',
  primary key (workspace_id, campaign_id, number),
  constraint channel_campaign foreign key (workspace_id, campaign_id) references communication.campaigns on delete cascade
);
call platform.protect('communication.campaign_channels');

-- What the engine has to look at, across workspaces: ids alone, so it needs no tenant policy. Everything else is read and
-- written inside the workspace's scope.
create table communication.sending (
  workspace_id uuid not null,
  campaign_id uuid not null,
  not_before timestamptz not null default now(),
  primary key (workspace_id, campaign_id)
);
create index sending_due on communication.sending (not_before);
grant select, insert, update, delete on communication.sending to rapport_app;

create table communication.deliveries (
  workspace_id uuid not null,
  campaign_id uuid not null,
  contact_id uuid not null,
  id uuid not null,
  email text not null,
  full_name text not null default '',
  domain text not null,
  state text not null default 'queued'
    constraint delivery_state check (state in ('queued', 'claimed', 'handed_over', 'sent', 'retry', 'failed', 'skipped')),
  reason text, -- why it was skipped, failed or has to wait
  code int, -- the SMTP reply
  response text,
  attempts int not null default 0,
  ambiguous int not null default 0, -- hand-overs whose answer never came
  claim uuid, -- fences off a worker whose lease has run out
  lease_until timestamptz,
  next_attempt_at timestamptz,
  message_id text,
  tracked boolean not null default false,
  created_at timestamptz not null default now(),
  handed_over_at timestamptz,
  sent_at timestamptz,
  settled_at timestamptz, -- its consequences (timeline, bounce, event) are written
  opens int not null default 0,
  opens_machine int not null default 0,
  opened_at timestamptz, -- first by a person
  clicks int not null default 0,
  clicks_machine int not null default 0,
  clicked_at timestamptz,
  unsubscribed_at timestamptz,
  primary key (workspace_id, campaign_id, contact_id),
  constraint delivery_campaign foreign key (workspace_id, campaign_id) references communication.campaigns on delete cascade
);
create unique index deliveries_id on communication.deliveries (workspace_id, id);
create index deliveries_state on communication.deliveries (workspace_id, campaign_id, state, contact_id);
create index deliveries_retry on communication.deliveries (workspace_id, campaign_id, next_attempt_at) where state = 'retry';
create index deliveries_leased on communication.deliveries (workspace_id, campaign_id, lease_until)
  where state in ('claimed', 'handed_over');
create index deliveries_unsettled on communication.deliveries (workspace_id, campaign_id)
  where settled_at is null and state in ('sent', 'failed', 'skipped');
create index deliveries_contact on communication.deliveries (workspace_id, contact_id, created_at);
call platform.protect('communication.deliveries');

-- The links of a campaign's message, numbered in the order in which they stand in it.
create table communication.links (
  workspace_id uuid not null,
  campaign_id uuid not null,
  number int not null,
  url text not null,
  clicks int not null default 0,
  clicks_machine int not null default 0,
  unique_clicks int not null default 0,
  primary key (workspace_id, campaign_id, number),
  constraint link_campaign foreign key (workspace_id, campaign_id) references communication.campaigns on delete cascade
);
call platform.protect('communication.links');

create table communication.link_clicks (
  workspace_id uuid not null,
  campaign_id uuid not null,
  number int not null,
  contact_id uuid not null,
  first_at timestamptz not null,
  clicks int not null default 0,
  clicks_machine int not null default 0,
  primary key (workspace_id, campaign_id, number, contact_id)
);
create index link_clicks_contact on communication.link_clicks (workspace_id, contact_id);
call platform.protect('communication.link_clicks');

-- Token buckets, shared by all workers: how much a sender, or one recipient domain of it, may be given per second.
create table communication.buckets (
  workspace_id uuid not null,
  key text not null, -- 'sender' or 'domain:example.org'
  tokens double precision not null,
  filled_at timestamptz not null,
  primary key (workspace_id, key)
);
call platform.protect('communication.buckets');
