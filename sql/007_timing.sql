-- What our own timing script tells beyond the older ones, why a record has no round, and who gave up.

alter table timing_record
    add column schema          text,
    add column server_id       text,
    add column aborted         boolean,     -- left before its end; null: the script does not say
    add column restarts        integer check (restarts >= 0),
    add column exit_print      text,        -- the engine's own words; surrender_side is from them, else from a vote
    add column unlinked_class  text check (unlinked_class in
        ('restarted', 'left', 'copy', 'candidate', 'tie', 'farther', 'no_round')),
    add column unlinked_reason text,        -- why no round has it; null: one has it, or none was looked for yet
    add constraint unlinked_has_a_reason check ((unlinked_class is null) = (unlinked_reason is null));

update timing_record
set schema     = raw -> 'meta' ->> 'schema',
    server_id  = raw -> 'meta' ->> 'server_id',
    aborted    = case when jsonb_typeof(raw -> 'meta' -> 'aborted') = 'boolean'
                      then (raw -> 'meta' -> 'aborted')::boolean end,
    restarts   = case when jsonb_typeof(raw -> 'meta' -> 'restarts') = 'number'
                       and (raw -> 'meta' -> 'restarts')::numeric between 0 and 10000
                      then (raw -> 'meta' -> 'restarts')::numeric::integer end,
    exit_print = raw -> 'meta' ->> 'exit_print'
where jsonb_typeof(raw -> 'meta') = 'object';

alter table round_timing add column surrender_side smallint check (surrender_side between 0 and 2);
comment on column round_timing.surrender_side is 'The side that gave up: 1 Axis, 2 Allies, 0 nobody; null: unknown.';
alter table round_timing drop column attackers_gave_up;
