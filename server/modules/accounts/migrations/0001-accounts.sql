-- Workspaces, people, and who belongs where. These three are read before a workspace is known (at sign-in, by a token),
-- so they carry no tenant policy; every query on them names the user or the workspace.

create schema accounts;
grant usage on schema accounts to rapport_app;

create table accounts.workspaces (
  id uuid primary key,
  name text not null,
  slug text not null constraint workspace_slug unique,
  language text not null default 'en',
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
grant select, insert, update on accounts.workspaces to rapport_app;

create table accounts.users (
  id uuid primary key,
  email text not null,
  full_name text not null default '',
  language text not null default 'en',
  timezone text,
  theme text not null default 'auto' constraint user_theme check (theme in ('light', 'dark', 'auto')),
  password_hash text,
  disabled_at timestamptz,
  version int not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create unique index users_email on accounts.users (lower(email));
grant select, insert, update on accounts.users to rapport_app;

create table accounts.memberships (
  workspace_id uuid not null references accounts.workspaces,
  user_id uuid not null references accounts.users,
  role text not null
    constraint membership_role check (role in ('owner', 'admin', 'marketer', 'agent', 'viewer', 'customer')),
  created_at timestamptz not null default now(),
  primary key (workspace_id, user_id)
);
create index memberships_user on accounts.memberships (user_id);
grant select, insert, update, delete on accounts.memberships to rapport_app;
