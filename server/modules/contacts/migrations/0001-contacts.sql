-- One person, their lists, tags, notes, timeline and what they allow us.

create schema contacts;
grant usage on schema contacts to rapport_app;

create table contacts.contacts (
  workspace_id uuid not null,
  id uuid not null,
  email text not null,
  email_key text not null generated always as (lower(email)) stored,
  first_name text not null default '',
  last_name text not null default '',
  company text,
  job_title text,
  phone text,
  phone_key text, -- E.164, where the number could be read
  gender text constraint contact_gender check (gender in ('male', 'female', 'other')),
  avatar_url text,
  language text not null default 'en',
  timezone text,
  source text,
  status text not null default 'active'
    constraint contact_status check (status in ('active', 'unsubscribed', 'bounced', 'complained')),
  is_active boolean not null default true,
  newsletter_subscribed boolean not null default false,
  marketing_subscribed boolean not null default false,
  tracking_allowed boolean not null default false,
  subscribed_at timestamptz,
  unsubscribed_at timestamptz,
  last_email_opened_at timestamptz,
  last_email_clicked_at timestamptz,
  last_engaged_at timestamptz,
  total_emails_opened int not null default 0,
  total_emails_clicked int not null default 0,
  total_purchases int not null default 0,
  engagement_score int not null default 0,
  custom_fields jsonb not null default '{}',
  notes text not null default '',
  user_id uuid,
  total_orders int not null default 0,
  returned_orders int not null default 0,
  total_appointments int not null default 0,
  cancelled_appointments int not null default 0,
  total_bookings int not null default 0,
  first_order_date timestamptz,
  last_order_date timestamptz,
  first_appointment_date timestamptz,
  last_appointment_date timestamptz,
  last_booking_date timestamptz,
  lifetime_value numeric(16, 2) not null default 0,
  import_id uuid, -- the import that made it
  version int not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  -- What search compares: folded, so that accents and case do not matter; trigrams find any part of it.
  search_text text not null generated always as (
    platform.fold(first_name || ' ' || last_name || ' ' || email || ' ' || coalesce(company, ''))) stored,
  name_key text not null generated always as (platform.fold(last_name || ' ' || first_name)) stored,
  primary key (workspace_id, id)
);
-- A deleted contact never stands in the way of a new one.
create unique index contacts_email on contacts.contacts (workspace_id, email_key) where deleted_at is null;
create index contacts_created on contacts.contacts (workspace_id, created_at, id) where deleted_at is null;
create index contacts_updated on contacts.contacts (workspace_id, updated_at, id) where deleted_at is null;
create index contacts_name on contacts.contacts (workspace_id, name_key, id) where deleted_at is null;
create index contacts_score on contacts.contacts (workspace_id, engagement_score, id) where deleted_at is null;
create index contacts_search on contacts.contacts using gin (search_text gin_trgm_ops) where deleted_at is null;
create index contacts_phone on contacts.contacts (workspace_id, phone_key) where phone_key is not null;
create index contacts_deleted on contacts.contacts (workspace_id, deleted_at, id) where deleted_at is not null;
create index contacts_import on contacts.contacts (workspace_id, import_id) where import_id is not null;
call platform.protect('contacts.contacts');
create trigger contacts_touch
  before update of email, first_name, last_name, company, job_title, phone, gender, avatar_url, language, timezone, source,
    status, is_active, newsletter_subscribed, marketing_subscribed, tracking_allowed, custom_fields, notes, deleted_at
  on contacts.contacts for each row execute function platform.touch();

-- Row-level security keeps the planner from using a trigram index: LIKE is not "leakproof", so it may only run after
-- the tenant's check. This view makes that check itself, by the same function, and lets every index serve. Reads of
-- lists and searches go through it; it shows nothing outside of a workspace's scope.
create view contacts.contact_rows as
  select * from contacts.contacts where workspace_id = platform.workspace_id();
grant select on contacts.contact_rows to rapport_app;

create table contacts.lists (
  workspace_id uuid not null,
  id uuid not null,
  name text not null,
  description text not null default '',
  type text not null default 'static' constraint list_type check (type in ('static', 'dynamic')),
  criteria jsonb,
  color text not null default '#0066cc',
  contact_count int not null default 0,
  is_active boolean not null default true,
  version int not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  primary key (workspace_id, id)
);
create unique index lists_name on contacts.lists (workspace_id, lower(name)) where deleted_at is null;
call platform.protect('contacts.lists');
create trigger lists_touch before update of name, description, criteria, color, is_active, deleted_at
  on contacts.lists for each row execute function platform.touch();

create table contacts.list_members (
  workspace_id uuid not null,
  list_id uuid not null,
  contact_id uuid not null,
  added_at timestamptz not null default now(),
  added_by uuid,
  primary key (workspace_id, list_id, contact_id),
  constraint list_member_list foreign key (workspace_id, list_id) references contacts.lists on delete cascade,
  constraint list_member_contact foreign key (workspace_id, contact_id) references contacts.contacts on delete cascade
);
create index list_members_contact on contacts.list_members (workspace_id, contact_id, list_id);
call platform.protect('contacts.list_members');

create table contacts.tags (
  workspace_id uuid not null,
  id uuid not null,
  name text not null,
  slug text not null,
  color text not null default '#0066cc',
  description text,
  priority int not null default 0,
  usage_count int not null default 0,
  created_by uuid,
  version int not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (workspace_id, id)
);
create unique index tags_name on contacts.tags (workspace_id, lower(name));
create unique index tags_slug on contacts.tags (workspace_id, slug);
create index tags_popular on contacts.tags (workspace_id, usage_count desc, id);
call platform.protect('contacts.tags');
create trigger tags_touch before update of name, slug, color, description, priority
  on contacts.tags for each row execute function platform.touch();

create table contacts.contact_tags (
  workspace_id uuid not null,
  tag_id uuid not null,
  contact_id uuid not null,
  tagged_at timestamptz not null default now(),
  tagged_by uuid,
  primary key (workspace_id, tag_id, contact_id),
  constraint contact_tag_tag foreign key (workspace_id, tag_id) references contacts.tags on delete cascade,
  constraint contact_tag_contact foreign key (workspace_id, contact_id) references contacts.contacts on delete cascade
);
create index contact_tags_contact on contacts.contact_tags (workspace_id, contact_id, tag_id);
call platform.protect('contacts.contact_tags');

-- Counters follow their rows statement by statement, so a hundred thousand memberships cost one update per list. A contact that
-- is soft-deleted keeps its memberships and its place in these counts until it is erased.
create function contacts.count_members() returns trigger language plpgsql as $$
begin
  update contacts.lists l set contact_count = contact_count + c.delta
  from (select workspace_id, list_id, count(*) * (case tg_op when 'INSERT' then 1 else -1 end) as delta
        from changed group by 1, 2) c
  where l.workspace_id = c.workspace_id and l.id = c.list_id;
  return null;
end $$;
create trigger list_members_added after insert on contacts.list_members
  referencing new table as changed for each statement execute function contacts.count_members();
create trigger list_members_removed after delete on contacts.list_members
  referencing old table as changed for each statement execute function contacts.count_members();

create function contacts.count_tags() returns trigger language plpgsql as $$
begin
  update contacts.tags t set usage_count = usage_count + c.delta
  from (select workspace_id, tag_id, count(*) * (case tg_op when 'INSERT' then 1 else -1 end) as delta
        from changed group by 1, 2) c
  where t.workspace_id = c.workspace_id and t.id = c.tag_id;
  return null;
end $$;
create trigger contact_tags_added after insert on contacts.contact_tags
  referencing new table as changed for each statement execute function contacts.count_tags();
create trigger contact_tags_removed after delete on contacts.contact_tags
  referencing old table as changed for each statement execute function contacts.count_tags();

create table contacts.notes (
  workspace_id uuid not null,
  id uuid not null,
  contact_id uuid not null,
  content text not null constraint note_length check (char_length(content) <= 500),
  created_by uuid,
  created_by_name text not null default '',
  created_at timestamptz not null default now(),
  primary key (workspace_id, id),
  constraint note_contact foreign key (workspace_id, contact_id) references contacts.contacts on delete cascade
);
create index notes_contact on contacts.notes (workspace_id, contact_id, created_at desc, id desc);
call platform.protect('contacts.notes');

-- The timeline: append-only. `source_key` makes an entry that stems from outside unique, however often it is delivered.
create table contacts.interactions (
  workspace_id uuid not null,
  id uuid not null,
  contact_id uuid not null,
  interaction_type text not null,
  description text not null default '',
  metadata jsonb not null default '{}',
  occurred_at timestamptz not null default now(),
  recorded_at timestamptz not null default now(),
  actor_id uuid,
  actor_name text not null default '',
  booking_id text,
  campaign_id uuid,
  source_key text,
  primary key (workspace_id, id),
  constraint interaction_contact foreign key (workspace_id, contact_id) references contacts.contacts on delete cascade
);
create index interactions_contact on contacts.interactions (workspace_id, contact_id, occurred_at, id);
create index interactions_recent on contacts.interactions (workspace_id, occurred_at, id);
create unique index interactions_source on contacts.interactions (workspace_id, source_key) where source_key is not null;
call platform.protect('contacts.interactions');

-- Who said what, when, where and to which wording. Rows are never changed; the contact's flags are the latest state.
create table contacts.consents (
  workspace_id uuid not null,
  id uuid not null,
  contact_id uuid not null,
  purpose text not null
    constraint consent_purpose check (purpose in ('newsletter', 'marketing', 'tracking', 'transactional')),
  decision text not null constraint consent_decision check (decision in ('granted', 'withdrawn', 'pending')),
  source text not null, -- form, import, api, one_click, preference_page, confirmation_link, person …
  wording text not null default '',
  wording_sha256 text not null default '',
  ip text,
  user_agent text,
  evidence jsonb not null default '{}',
  actor_id uuid,
  actor_name text not null default '',
  recorded_at timestamptz not null default now(),
  primary key (workspace_id, id),
  constraint consent_contact foreign key (workspace_id, contact_id) references contacts.contacts on delete cascade
);
create index consents_contact on contacts.consents (workspace_id, contact_id, recorded_at desc, id desc);
call platform.protect_ledger('contacts.consents');

-- Addresses that nothing may be sent to, in any channel, as a keyed hash: it outlives the contact and its erasure.
create table contacts.suppressions (
  workspace_id uuid not null,
  address_hash bytea not null,
  reason text not null
    constraint suppression_reason check (reason in ('hard_bounce', 'complaint', 'unsubscribe', 'erasure', 'manual')),
  created_at timestamptz not null default now(),
  primary key (workspace_id, address_hash)
);
call platform.protect('contacts.suppressions');
