-- What was expected of a player (by person) in each of his sessions, and what he did, summed: a page that asked all rounds of
-- a career for that would be slow. Made anew with the table expectation, which it is the sum of.
create table expected_night (
    session_key    text not null,
    guid           text not null,
    metric         text not null check (metric in ('damage', 'kills')),
    rounds         integer not null check (rounds > 0),
    minutes        double precision not null check (minutes > 0),
    expected       double precision not null check (expected > 0),
    actual         integer not null check (actual >= 0),
    earlier_rounds integer not null check (earlier_rounds >= 0),   -- of him, that this rests on
    own_sd         double precision not null check (own_sd > 0),   -- how far his full nights scatter, by those before it
    primary key (session_key, guid, metric)
);
create index expected_night_guid on expected_night (guid);
create trigger data_changes after insert or update or delete on expected_night
    for each statement execute function data_changes();
