-- A category with a tag: of both together the planner knows nothing, and each alone may be on half of the tickets.
create function support.labels(tag_keys text[], category text) returns text[]
  language sql immutable parallel safe
  return tag_keys || array['category ' || platform.fold(category)];
create index tickets_labels on support.tickets using gin (support.labels(tag_keys, category))
  where deleted_at is null and category is not null;
