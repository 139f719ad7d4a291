-- What the page of the chain's status asks whenever it is opened: what failed of late, and what was played of late.
create index check_result_failed on check_result (checked_at) where not passed;
create index file_played on file (coalesce(named_stamp, named_end at time zone 'UTC')) where partition_key is not null;

-- When the newest round was played; since when files know all numbers.
create index parsed_round_played on parsed_round (stamp) include (tail_fields);

-- When what a session's report shows became another than it had been, also where nothing was told of it: null while it
-- never did. The feed shows it.
alter table session_report add column changed_at timestamptz;
create trigger data_changes after update of changed_at on session_report
    for each row when (new.changed_at is distinct from old.changed_at) execute function data_changes();
