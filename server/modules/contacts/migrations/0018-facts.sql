-- What other programs tell of a person: orders, bookings, appointments, tickets. The figures of a contact's record are
-- derived from these rows, so that they come out right in whatever order, and however often, the events arrive.

alter table contacts.contacts
  add column total_tickets int not null default 0,
  add column open_tickets int not null default 0;
create or replace view contacts.contact_rows as
  select * from contacts.contacts where workspace_id = platform.workspace_id();

-- Users of other programs whose ids are no UUIDs.
create table contacts.outside_users (
  workspace_id uuid not null,
  user_key text not null,
  contact_id uuid not null,
  primary key (workspace_id, user_key),
  constraint outside_user_contact foreign key (workspace_id, contact_id) references contacts.contacts on delete cascade
);
create index outside_users_contact on contacts.outside_users (workspace_id, contact_id);
call platform.protect('contacts.outside_users');

-- `contact_id` is null as long as only a return is known. `returns` holds each return under its key. `told` says which of
-- two contradicting events counts: the later one.
create table contacts.orders (
  workspace_id uuid not null,
  id uuid not null,
  order_key text not null,
  contact_id uuid,
  status text not null constraint order_status check (status in ('completed', 'partly_returned', 'returned')),
  amount numeric(18, 4),
  currency text constraint order_currency check (currency ~ '^[A-Z]{3}$'),
  completed_at timestamptz,
  returned_at timestamptz,
  returned_amount numeric(18, 4) not null default 0,
  returns jsonb not null default '{}',
  told text not null default '',
  happened_at timestamptz not null,
  primary key (workspace_id, id),
  constraint order_contact foreign key (workspace_id, contact_id) references contacts.contacts on delete cascade
);
create unique index orders_key on contacts.orders (workspace_id, order_key);
create index orders_contact on contacts.orders (workspace_id, contact_id, happened_at, id);
call platform.protect('contacts.orders');

-- One row for each person who attends; one without a contact as long as nobody is known. A merge of contacts may bring two
-- rows of one booking together: they count once.
create table contacts.bookings (
  workspace_id uuid not null,
  id uuid not null,
  kind text not null constraint booking_kind check (kind in ('booking', 'appointment')),
  booking_key text not null,
  contact_id uuid,
  status text not null constraint booking_status check (status in ('booked', 'completed', 'cancelled')),
  title text not null default '',
  location text not null default '',
  link text,
  reason text not null default '',
  starts_at timestamptz,
  ends_at timestamptz,
  booked_at timestamptz,
  completed_at timestamptz,
  cancelled_at timestamptz,
  told text not null default '',
  happened_at timestamptz not null,
  primary key (workspace_id, id),
  constraint booking_contact foreign key (workspace_id, contact_id) references contacts.contacts on delete cascade
);
create index bookings_key on contacts.bookings (workspace_id, kind, booking_key);
create index bookings_contact on contacts.bookings (workspace_id, contact_id, happened_at, id);
call platform.protect('contacts.bookings');

create table contacts.ticket_facts (
  workspace_id uuid not null,
  ticket_key text not null,
  contact_id uuid,
  number text not null default '',
  subject text not null default '',
  opened_at timestamptz,
  resolved_at timestamptz,
  closed_at timestamptz,
  reopened_at timestamptz,
  is_open boolean not null,
  told text not null default '',
  primary key (workspace_id, ticket_key),
  constraint ticket_fact_contact foreign key (workspace_id, contact_id) references contacts.contacts on delete cascade
);
create index ticket_facts_contact on contacts.ticket_facts (workspace_id, contact_id);
call platform.protect('contacts.ticket_facts');

-- Figures of which we have no facts: they came with a file, or were there before facts were kept. A contact's figures are
-- these and those of its facts together; a merge may bring it several rows.
create table contacts.opening_figures (
  workspace_id uuid not null,
  id uuid not null,
  contact_id uuid not null,
  total_orders int not null default 0,
  returned_orders int not null default 0,
  total_appointments int not null default 0,
  cancelled_appointments int not null default 0,
  total_bookings int not null default 0,
  first_order_date timestamptz,
  last_order_date timestamptz,
  first_appointment_date timestamptz,
  last_appointment_date timestamptz,
  last_booking_date timestamptz,
  lifetime_value numeric(16, 2) not null default 0,
  primary key (workspace_id, id),
  constraint opening_figures_contact foreign key (workspace_id, contact_id) references contacts.contacts on delete cascade
);
create index opening_figures_of_contact on contacts.opening_figures (workspace_id, contact_id);
call platform.protect('contacts.opening_figures');
insert into contacts.opening_figures (workspace_id, id, contact_id, total_orders, returned_orders, total_appointments,
  cancelled_appointments, total_bookings, first_order_date, last_order_date, first_appointment_date, last_appointment_date,
  last_booking_date, lifetime_value)
select workspace_id, gen_random_uuid(), id, total_orders, returned_orders, total_appointments,
  cancelled_appointments, total_bookings, first_order_date, last_order_date, first_appointment_date, last_appointment_date,
  last_booking_date, lifetime_value
from contacts.contacts
where (total_orders, returned_orders, total_appointments, cancelled_appointments, total_bookings, lifetime_value)
    is distinct from (0, 0, 0, 0, 0, 0)
  or coalesce(first_order_date, last_order_date, first_appointment_date, last_appointment_date, last_booking_date) is not null;

-- An entry made by hand can be changed, taken away, and brought back as it was. What is taken away stands apart, so that
-- whoever reads the timeline need not know of it.
alter table contacts.interactions add column edited_at timestamptz;
create table contacts.removed_interactions (
  like contacts.interactions including defaults,
  removed_at timestamptz not null default now(),
  removed_by uuid,
  primary key (workspace_id, id),
  constraint removed_interaction_contact foreign key (workspace_id, contact_id) references contacts.contacts on delete cascade
);
create index removed_interactions_contact on contacts.removed_interactions (workspace_id, contact_id);
create index removed_interactions_age on contacts.removed_interactions (workspace_id, removed_at);
call platform.protect('contacts.removed_interactions');
