-- What lets somebody in. Of every secret only its SHA-256 is kept; passwords are argon2id, in accounts.users.

-- No tenant policy: the cookie is all that is known when a session is looked up, and a person sees their own sessions
-- whichever workspace each is in. Every query names the token's hash or the user.
create table accounts.sessions (
  id uuid primary key,
  user_id uuid not null references accounts.users,
  workspace_id uuid not null references accounts.workspaces,
  token_hash bytea not null constraint session_token unique,
  user_agent text not null,
  ip text not null,
  created_at timestamptz not null default now(),
  last_seen_at timestamptz not null default now(),
  expires_at timestamptz not null
);
create index sessions_user on accounts.sessions (user_id);
create index sessions_expiry on accounts.sessions (expires_at);
grant select, insert, update, delete on accounts.sessions to rapport_app;

-- The three below belong to a person, not to a workspace.
create table accounts.password_resets (
  token_hash bytea primary key,
  user_id uuid not null references accounts.users,
  -- SHA-256 of the password's hash at that time: whoever has changed the password meanwhile has ended this as well.
  password_mark bytea not null,
  expires_at timestamptz not null
);
create index password_resets_user on accounts.password_resets (user_id);
grant select, insert, delete on accounts.password_resets to rapport_app;

create table accounts.recovery_codes (
  user_id uuid not null references accounts.users,
  code_hash bytea not null,
  primary key (user_id, code_hash)
);
grant select, insert, delete on accounts.recovery_codes to rapport_app;

create table accounts.known_devices (
  user_id uuid not null references accounts.users,
  device_hash bytea not null,
  first_seen_at timestamptz not null default now(),
  primary key (user_id, device_hash)
);
grant select, insert on accounts.known_devices to rapport_app;

create table accounts.invitations (
  workspace_id uuid not null references accounts.workspaces,
  id uuid not null,
  email text not null,
  role text not null
    constraint invitation_role check (role in ('owner', 'admin', 'marketer', 'agent', 'viewer')),
  language text not null,
  -- Null until the mail goes out; each mail has a token of its own and ends the one before.
  token_hash bytea,
  invited_by uuid,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  primary key (workspace_id, id)
);
create unique index invitation_email on accounts.invitations (workspace_id, lower(email));
call platform.protect('accounts.invitations');

create table accounts.api_keys (
  workspace_id uuid not null references accounts.workspaces,
  id uuid not null,
  name text not null,
  role text not null constraint api_key_role check (role in ('owner', 'admin', 'marketer', 'agent', 'viewer')),
  -- Null: all that the role may do.
  scopes text[],
  secret_hash bytea not null,
  -- The last four characters, so that people can tell their keys apart.
  ending text not null,
  created_by uuid,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  last_used_at timestamptz,
  primary key (workspace_id, id)
);
create unique index api_key_secret on accounts.api_keys (workspace_id, secret_hash);
call platform.protect('accounts.api_keys');

-- Authentication has one round trip and no workspace's scope yet. This answers for whoever has the whole key (its hash
-- is of 256 random bits), and shows nothing to anybody else; the table itself stays behind its policy.
create function accounts.identify_key(in_workspace uuid, hash bytea)
  returns table (id uuid, name text, role text, scopes text[])
  language sql volatile security definer set search_path = '' as $$
  with found as (
    select k.id, k.name, k.role, k.scopes, k.last_used_at
    from accounts.api_keys k
    where k.workspace_id = in_workspace and k.secret_hash = hash and (k.expires_at is null or k.expires_at > now())
  ), seen as (
    update accounts.api_keys k set last_used_at = now()
    from found
    where k.workspace_id = in_workspace and k.id = found.id
      and (found.last_used_at is null or found.last_used_at < now() - interval '1 minute')
  )
  select id, name, role, scopes from found
$$;
revoke all on function accounts.identify_key(uuid, bytea) from public;
grant execute on function accounts.identify_key(uuid, bytea) to rapport_app;
