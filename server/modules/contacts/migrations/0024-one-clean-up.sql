-- Nothing asks for it: a file in quarantine is scanned again when it is imported, and goes with the others after its week.
drop function contacts.workspaces_with_unscanned_uploads;
