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

-- What the summary of a session says of who did more than was expected of him, as it was told first: models that are
-- fitted anew would say it of another, or otherwise. All null: it was told that nobody did.
create table told_surprise (
    session_key text primary key,   -- also of one that was swallowed: its summary was told all the same
    guid        text,
    metric      text check (metric in ('damage', 'kills')),
    actual      integer,
    expected    double precision,
    usual_low   double precision,   -- of actual / expected, in 80 of 100 such sessions
    usual_high  double precision,
    check (num_nulls(guid, metric, actual, expected, usual_low, usual_high) in (0, 6))
);
