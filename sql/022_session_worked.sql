-- When a session was worked out last is said by the session: its results and its report are held against that, instead of
-- the times of all of history's rounds.

alter table session add column worked_at timestamptz not null default '-infinity';
alter table session alter column worked_at set default now();
update session s set worked_at = found.at
from (select session_key, greatest(max(rules_at), max(timed_at)) as at
      from session_round join round using (round_key) left join round_timing using (round_key)
      group by session_key) found
where found.session_key = s.session_key and s.scored_at is not null;
-- A round in no match: the run that placed it ended before it was scored.
update session s set worked_at = now()
where exists (select from session_round join round r using (round_key)
              where session_key = s.session_key and not exists (select from match m where m.match_key = r.match_key));

create index session_unscored on session (server) where coalesce(scored_at, '-infinity') < worked_at;
create index timing_record_stored on timing_record (stored_at);
create index file_without_result on file (server, kind) where status <> 'ingested';
