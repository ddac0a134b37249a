-- A token that the program gave to whoever typed an address proves nothing about it; one that the house gave, it answers for.
alter table support.ticket_tokens add column vouched boolean not null default false;
