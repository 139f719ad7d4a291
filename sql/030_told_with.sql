-- A summary tells more than its session's own results: duels, of endstats that may come late, and what was reached for the
-- first time, of all rounds before it. A report says with which of these it was made.

alter table session add column awarded_at timestamptz;           -- when endstats of its rounds were stored last
alter table session_report add column awarded_at timestamptz;
alter table session_report add column past numeric;              -- see the view session_past; null: nobody looks back yet
