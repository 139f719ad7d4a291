-- Every metric, defined once. A ratio over nothing or over something unknown is null, never 0.
-- Sources: the community's formulas; all ratios of several rounds are sum by sum, never a mean of ratios.

-- Kills per death; without a death the kills themselves.
create or replace function metric_kd(kills bigint, deaths bigint) returns double precision
    language sql immutable as $$ select case when deaths = 0 then kills else kills::double precision / deaths end $$;

-- Damage given per minute the player was there.
create or replace function metric_dpm(damage_given bigint, seconds_played bigint) returns double precision
    language sql immutable as $$ select damage_given * 60.0::double precision / nullif(seconds_played, 0) $$;

-- Hits of 100 shots, all weapons.
create or replace function metric_accuracy(hits bigint, shots bigint) returns double precision
    language sql immutable as $$ select case when shots > 0 then hits * 100.0::double precision / shots end $$;

-- Hits on heads of 100 hits, all weapons.
create or replace function metric_headshot_percent(headshots bigint, hits bigint) returns double precision
    language sql immutable as $$ select headshots * 100.0::double precision / nullif(hits, 0) $$;

-- Share of the time played that was spent dead, in percent. Dead time is capped per round, then summed.
create or replace function metric_dead_percent(seconds_dead bigint, seconds_played bigint) returns double precision
    language sql immutable as $$ select seconds_dead * 100.0::double precision / nullif(seconds_played, 0) $$;

-- A sum that is unknown as soon as one part is: sum() would leave the unknown out and show too little.
create or replace function known_add(total bigint, part bigint) returns bigint
    language sql immutable as $$ select total + part $$;
create or replace aggregate known_sum(bigint) (sfunc = known_add, stype = bigint, initcond = '0');
