-- Document 4's view of a contact: found by the user of another service, ranked by what was bought, with a picture.

create index contacts_user on contacts.contacts (workspace_id, user_id) where user_id is not null;
create index contacts_gender on contacts.contacts (workspace_id, gender, created_at, id)
  where deleted_at is null and gender is not null;
create index contacts_value on contacts.contacts (workspace_id, lifetime_value, id) where deleted_at is null;

-- Deleted contacts by their address: a request about a person is about those as well.
create index contacts_deleted_email on contacts.contacts (workspace_id, email_key) where deleted_at is not null;

-- The picture itself lies in the files, twice: 512 and 128 pixels. Each upload has keys of its own, so that removing
-- an old picture can never meet a new one.
create table contacts.avatars (
  workspace_id uuid not null,
  contact_id uuid not null,
  file_id uuid not null,
  sha256 text not null,
  size_bytes int not null,
  created_by uuid,
  created_at timestamptz not null default now(),
  primary key (workspace_id, contact_id),
  constraint avatar_contact foreign key (workspace_id, contact_id)
    references contacts.contacts (workspace_id, id) on delete cascade
);
call platform.protect('contacts.avatars');
