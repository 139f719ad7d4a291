-- A report says of which state of its session it is: results that were written while it was made are newer, whenever
-- their transaction began.

alter table session_report add column worked_at timestamptz;
update session_report r set worked_at = s.worked_at
from session s where s.session_key = r.session_key and s.worked_at <= r.reported_at;
