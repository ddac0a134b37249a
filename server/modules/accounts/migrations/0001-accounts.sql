-- Workspaces, people, and who belongs where. These three are read before a workspace is known (at sign-in, by a token,
-- to offer the switch of workspace), so reading them has no tenant policy; every query on them names the user or the
-- workspace. A workspace itself is changed from within alone.

create schema accounts;
grant usage on schema accounts to rapport_app;

create table accounts.workspaces (
  id uuid primary key,
  name text not null,
  slug text not null constraint workspace_slug unique,
  language text not null default 'en' constraint workspace_language check (language in ('en', 'fr', 'ro')),
  timezone text not null default 'Europe/Paris',
  country text not null default 'FR',
  currency text not null default 'EUR',
  mail_from text,
  mail_from_name text,
  postal_address text,
  version int not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create trigger touch before update on accounts.workspaces for each row execute function platform.touch();
alter table accounts.workspaces enable row level security;
create policy read_any on accounts.workspaces for select using (true);
create policy add_any on accounts.workspaces for insert with check (true);
create policy change_own on accounts.workspaces for update using (id = (select platform.workspace_id()));
grant select, insert, update on accounts.workspaces to rapport_app;

-- A person may belong to several workspaces, so no workspace owns the row. Whom a token of the outside auth service
-- names has origin 'token': such a person never signs in here, and shares no e-mail address with those who do, or a
-- token with somebody's address in it would open that somebody's account.
create table accounts.users (
  id uuid primary key,
  origin text not null default 'rapport' constraint user_origin check (origin in ('rapport', 'token')),
  email text,
  full_name text not null default '',
  language text not null default 'en' constraint user_language check (language in ('en', 'fr', 'ro')),
  timezone text,
  theme text not null default 'auto' constraint user_theme check (theme in ('light', 'dark', 'auto')),
  password_hash text,
  -- Sealed; waits for its first good code until totp_enabled_at is set.
  totp_secret text,
  totp_enabled_at timestamptz,
  -- The newest time step whose code was taken: no code works twice.
  totp_last_step bigint,
  version int not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint user_reachable check (origin = 'token' or email is not null)
);
create unique index user_email on accounts.users (lower(email)) where origin = 'rapport';
create trigger touch before update of full_name, email, language, timezone, theme on accounts.users
  for each row execute function platform.touch();
grant select, insert, update on accounts.users to rapport_app;

create table accounts.memberships (
  workspace_id uuid not null references accounts.workspaces,
  user_id uuid not null references accounts.users,
  role text not null
    constraint membership_role check (role in ('owner', 'admin', 'marketer', 'agent', 'viewer', 'customer')),
  -- 'token': the outside auth service says it, and its next token may say otherwise.
  source text not null default 'rapport' constraint membership_source check (source in ('rapport', 'token')),
  created_at timestamptz not null default now(),
  primary key (workspace_id, user_id)
);
create index memberships_user on accounts.memberships (user_id);
grant select, insert, update, delete on accounts.memberships to rapport_app;
