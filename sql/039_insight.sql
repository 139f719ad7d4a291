-- Insight: what was fitted to all of history, and what was foretold from it.

-- What a model is now. Made anew, from nothing, when what it is made of changed; so it hangs on no order of files.
create table fitted (
    model       text primary key check (model in ('map_times', 'player_times', 'usual_damage', 'usual_kills')),
    version     text not null,        -- of the rule that fitted it
    fingerprint text not null,        -- of the history that it was fitted to
    known_until timestamptz,          -- the stamp of the last round in it; null: there was none
    parameters  jsonb not null,
    fitted_at   timestamptz not null default now()
);

-- How far everything is that is made of all of history. A step that fails has no row of today, so it is tried again.
create table learned (
    step       text primary key check (step in ('attack_times', 'usual', 'forecasts', 'pairs')),
    version    text not null,         -- of the rule that it was done by
    state      text not null,         -- of history when it was looked at last: see the view history_state
    learned_at timestamptz not null default now()
);

-- Of a person, from the model of attack times: how much faster his team attacks by him, as a logarithm.
create table strength (
    guid      text primary key,
    strength  double precision not null,
    deviation double precision not null check (deviation > 0),
    matches   integer not null check (matches > 0),
    sigma     double precision not null check (sigma > 0)   -- of the model: how much times scatter
);
create trigger data_changes after insert or update or delete on strength
    for each statement execute function data_changes();

-- What was to be expected of a player (by person) in a round, by all sessions before its own. Made anew with the models;
-- what has not changed is not written again. Of a round that goes and comes back before models learn, it stays true.
create table expectation (
    round_key      text not null,
    guid           text not null,
    damage         double precision not null check (damage > 0),
    kills          double precision not null check (kills > 0),
    earlier_rounds integer not null check (earlier_rounds >= 0),   -- of him, that this rests on
    primary key (round_key, guid)
);
create index expectation_guid on expectation (guid);
create trigger data_changes after insert or update or delete on expectation
    for each statement execute function data_changes();

-- How good what is foretold was, and how good it would have been by playing history through, which is no proof: both are
-- always named beside each other.
create table forecast_report (
    kind        text not null check (kind in ('half_time', 'match')),
    source      text not null check (source in ('ledger', 'backtest')),
    version     text not null,
    fingerprint text not null,        -- of the forecasts that it is about
    numbers     jsonb,                -- null: of none
    temperature double precision,     -- what the logits of later forecasts are multiplied by
    made_at     timestamptz not null default now(),
    primary key (kind, source)
);
create trigger data_changes after insert or update or delete on forecast_report
    for each statement execute function data_changes();

-- What was said before it was known, as it was said: never changed and never taken away, whatever becomes of its match.
create table prediction (
    id            bigint generated always as identity primary key,
    kind          text not null check (kind in ('half_time', 'match')),
    round_key     text not null,      -- round 1 of the match
    made_at       timestamptz not null default now(),
    version       text not null,      -- of the rule that fitted what it was made with
    known_until   timestamptz,        -- the stamp of the last round that is in that
    map           text not null,
    limit_seconds integer check (limit_seconds > 0),
    to_beat       integer check (to_beat > 0),            -- s; the limit where round 1 was held
    attacks       integer not null check (attacks >= 0),      -- on this map that the chance was learned from
    par           integer check (par > 0),                    -- s; null: none, or not asked for
    par_attacks   integer check (par_attacks >= 0),           -- on this map with this limit so far, that par is of
    chance        double precision check (chance between 0 and 1),   -- null: too few attacks to say
    rosters       jsonb,              -- of match: seconds of everybody (by person) in round 1, as first and second team
    told          boolean not null,   -- to players, at once
    unique (kind, round_key),
    check ((kind = 'match') = (rosters is not null))
);

create function predictions_stay() returns trigger language plpgsql as $$
begin
    raise exception 'what was foretold is not changed afterwards';
end $$;
create trigger predictions_stay before update or delete on prediction
    for each row execute function predictions_stay();
create trigger data_changes after insert on prediction for each statement execute function data_changes();
