-- A survivor may leave a dynamic list for the time that it is merged. `had` says where it was itself and since when, so that an
-- undo brings back that date too.
alter table contacts.merge_moves drop constraint merge_move_action;
alter table contacts.merge_moves
  add constraint merge_move_action check (action in ('moved', 'dropped', 'added', 'had'));
