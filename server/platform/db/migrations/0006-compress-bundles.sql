-- Bundles are large, and PostgreSQL's own compression took longer than building them. lz4 is ten times as fast; a server
-- that was built without it goes on as it was.
do $$ begin
  alter table platform.outbox alter column data set compression lz4;
exception when feature_not_supported or invalid_parameter_value then null;
end $$;
