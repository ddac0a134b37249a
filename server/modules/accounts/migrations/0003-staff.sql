-- Customers come with tokens, by the hundred thousand; whoever asks for the people of the house finds them without these.
create index memberships_staff on accounts.memberships (workspace_id, user_id) where role <> 'customer';
