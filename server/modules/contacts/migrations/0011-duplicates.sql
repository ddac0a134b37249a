-- Records that may be one person: what they are found by, which pairs were found, what people said of them.

-- By contact, the keys that the comparison knows it by (duplicates/keys.ts): hashes, kept up by the work that compares.
create table contacts.duplicate_keys (
  workspace_id uuid not null,
  contact_id uuid not null,
  keys int[] not null,
  primary key (workspace_id, contact_id),
  constraint duplicate_key_contact foreign key (workspace_id, contact_id) references contacts.contacts on delete cascade
);
-- Keys are sorted in bulk before they enter the tree: a scan writes ten for every contact.
create index duplicate_keys_found on contacts.duplicate_keys using gin (keys) with (gin_pending_list_limit = 65536);
call platform.protect('contacts.duplicate_keys');
-- The operators of arrays are not leakproof, so that under the policy the index could not serve: the same view as for
-- contacts (docs/decisions/0009).
create view contacts.duplicate_key_rows as
  select * from contacts.duplicate_keys where workspace_id = platform.workspace_id();
grant select on contacts.duplicate_key_rows to rapport_app;

-- How frequent the frequent values are, counted by the last scan: "Smith" says less than a name that one family has.
create table contacts.duplicate_terms (
  workspace_id uuid not null,
  term text not null, -- one letter for its kind, then the value as it is compared
  people int not null,
  primary key (workspace_id, term)
);
call platform.protect('contacts.duplicate_terms');

create table contacts.duplicate_state (
  workspace_id uuid not null,
  people int not null default 0, -- that the terms were counted over
  scanned_at timestamptz,
  scan_job_id uuid,
  check_from timestamptz, -- contacts that changed since then, in numbers, wait for the job that looks at them
  primary key (workspace_id)
);
call platform.protect('contacts.duplicate_state');

create table contacts.duplicate_pairs (
  workspace_id uuid not null,
  id uuid not null,
  a uuid not null,
  b uuid not null,
  weight numeric(9, 3) not null, -- the sum of the reasons; tells apart where probabilities are all but 1
  probability real not null,
  reasons jsonb not null, -- [[field, level, weight in bits], …]; the values are those of the contacts
  status text not null default 'open'
    constraint duplicate_pair_status check (status in ('open', 'dismissed', 'merged')),
  group_id uuid, -- of an open pair within a group: the least id of the contacts in it
  found_by text not null constraint duplicate_pair_found_by check (found_by in ('scan', 'change')),
  found_at timestamptz not null default now(),
  confirmed_at timestamptz not null default now(), -- when a comparison last came to this
  dismissed_by uuid,
  dismissed_by_name text not null default '',
  dismissed_at timestamptz,
  primary key (workspace_id, id),
  constraint duplicate_pair_order check (a < b),
  constraint duplicate_pair_a foreign key (workspace_id, a) references contacts.contacts on delete cascade,
  constraint duplicate_pair_b foreign key (workspace_id, b) references contacts.contacts on delete cascade
);
create unique index duplicate_pairs_both on contacts.duplicate_pairs (workspace_id, a, b);
create index duplicate_pairs_b on contacts.duplicate_pairs (workspace_id, b);
create index duplicate_pairs_strongest on contacts.duplicate_pairs (workspace_id, status, weight, id);
create index duplicate_pairs_newest on contacts.duplicate_pairs (workspace_id, status, found_at, id);
create index duplicate_pairs_group on contacts.duplicate_pairs (workspace_id, group_id) where group_id is not null;
call platform.protect('contacts.duplicate_pairs');

create table contacts.duplicate_groups (
  workspace_id uuid not null,
  id uuid not null, -- the least of the contacts
  contact_ids uuid[] not null,
  weight numeric(9, 3) not null, -- of its strongest pair
  probability real not null,
  primary key (workspace_id, id)
);
create index duplicate_groups_strongest on contacts.duplicate_groups (workspace_id, weight, id);
call platform.protect('contacts.duplicate_groups');
