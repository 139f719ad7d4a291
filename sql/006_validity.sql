-- A round whose numbers hold more than it (the engine carried counters over) counts in no total, yet its result stands.

alter table round add column unscored_reason text;   -- why no match of it counts; null: it can count
update round set unscored_reason = invalid_reason;
alter table round add constraint round_unscored_is_invalid check (unscored_reason is null or invalid_reason is not null);

-- What a check saw keeps the order in which it was told: the laws of a round as they are listed.
alter table check_result alter column metadata type json;

-- By which rules and settings a round was worked out: others than those in force make it stale.
alter table round add column rules text;

-- A round is part of one match.
alter table match add constraint match_of_round_1 unique (r1_key) deferrable initially deferred;
alter table match add constraint match_of_round_2 unique (r2_key) deferrable initially deferred;
