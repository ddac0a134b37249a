-- What came back for a delivery after the mail server had taken it.
alter table communication.deliveries
  add column bounce_kind text constraint delivery_bounce_kind check (bounce_kind in ('hard', 'full', 'policy', 'soft')),
  add column bounce_response text,
  add column bounced_at timestamptz,
  add column complained_at timestamptz;
