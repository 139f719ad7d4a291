-- What damage somebody (by person) usually does in a minute, neither attacking nor defending, on no map above others: as
-- the model of it says, which names everybody and is for no page. All of its players have a row, so their mean, of the
-- logarithms, is what it expects of who is new. Made anew with the model; what has not changed is not written again.
create table usual_rate (
    guid              text primary key,
    damage_per_minute double precision not null check (damage_per_minute > 0),
    rounds            integer not null check (rounds > 0)   -- of him, that this rests on
);
create trigger data_changes after insert or update or delete on usual_rate
    for each statement execute function data_changes();
