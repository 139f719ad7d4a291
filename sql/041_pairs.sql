-- Who wins together, and who is killed by whom more often than was to be expected: of persons, over all of history. Made
-- anew with the models; what has not changed is not written again.

-- Of two, from enough decided matches in one team. Every two are in it twice, once from each side.
create table pair_record (
    guid       text not null,
    other_guid text not null,
    matches    integer not null check (matches > 0),
    won        integer not null check (won between 0 and matches),
    expected   double precision check (expected between 0 and matches),   -- of won, by strengths; null: not known
    apart      integer not null check (apart >= 0),                       -- matches with one of them alone
    apart_won  integer not null check (apart_won between 0 and apart),    -- by that one
    primary key (guid, other_guid),
    check (guid <> other_guid)
);
comment on table pair_record is
'What every two won of their decided matches in one team. expected: of won, by strengths as they are known today: these matches are among what they were learned from, so it is nearer to won than could have been foreseen; null where strengths are not known.';
create trigger data_changes after insert or update or delete on pair_record
    for each statement execute function data_changes();

-- Who killed somebody surely more often than was to be expected: kills of the times that one of them killed the other.
create table nemesis (
    guid          text primary key,
    opponent_guid text not null check (opponent_guid <> guid),
    kills         integer not null check (kills > 0),
    times         integer not null check (times >= kills),
    expected      double precision not null check (expected between 0 and times)
);
create trigger data_changes after insert or update or delete on nemesis
    for each statement execute function data_changes();
