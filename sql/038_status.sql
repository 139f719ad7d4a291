-- What the page of the chain's status asks whenever it is opened: what failed of late, and what was played of late.
create index check_result_failed on check_result (checked_at) where not passed;
create index file_played on file (coalesce(named_stamp, named_end at time zone 'UTC')) where partition_key is not null;

-- When the newest round was played; since when files know all numbers.
create index parsed_round_played on parsed_round (stamp) include (tail_fields);
