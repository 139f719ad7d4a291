-- What makes rounds stale is asked for every few seconds: each question starts from the few rows that it is about.

create index round_rules on round (rules);
create index round_superseded on round (round_key) where status = 'superseded';
create index round_timing_taken on round_timing (round_key) where timed_at = 'epoch';
create index round_timing_candidate on round_timing (candidate_key) where candidate_key is not null;
create index parsed_round_ambiguous on parsed_round (server, stamp) where stamp_ambiguous;
create index session_uncompared on session (session_key) where told_of is distinct from scored_at;
create index due_until on due (due_until);
create index post_partition_key on post (partition_key);
