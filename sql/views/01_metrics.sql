-- Every metric, defined once. Formula, unit and source stand in the comment of its function, so that they are visible in
-- the database too; docs/metrics.md is made from them.
--
-- A ratio over nothing or over something unknown is null, never 0. Nothing is rounded: that is for who shows a number.
-- Several rounds: the sums first, then the ratio of the sums, never a mean of ratios.

-- Made anew together with the views: what is renamed or gone here must not stay behind in a database.
drop aggregate if exists known_sum(bigint);
drop function if exists known_add(bigint, bigint);
do $$
declare
    made regprocedure;
begin
    for made in select oid from pg_proc where pronamespace = current_schema()::regnamespace and proname like 'metric\_%'
    loop
        execute format('drop function %s', made);
    end loop;
end $$;

create function metric_share(part double precision, whole double precision) returns double precision
    language sql immutable as $$ select case when part between 0 and whole then part * 100 / nullif(whole, 0) end $$;
comment on function metric_share is
'A part of a whole. A part above its whole contradicts itself, so the share is unknown: no share exceeds 100 %.
Formula: part · 100 / whole
Unit: %
Source: building block of the shares below';

create function metric_per_round(total bigint, rounds bigint) returns double precision
    language sql immutable as $$ select total::double precision / nullif(rounds, 0) $$;
comment on function metric_per_round is
'Any counted number per round played.
Formula: total / rounds
Unit: per round
Source: community formula (kills, deaths, damage and revives per round); a short round weighs as much as a long one';

create function metric_kd(kills bigint, deaths bigint) returns double precision
    language sql immutable as $$ select case when deaths = 0 then kills else kills::double precision / deaths end $$;
comment on function metric_kd is
'Kills per death; without a death the kills themselves.
Formula: kills / deaths
Unit: kills per death
Source: community formula over the weapon block. The ratio the writer prints is not used: without a death it is kills + 1, and in a round-2 file it mixes both rounds';

create function metric_efficiency(kills bigint, deaths bigint) returns double precision
    language sql immutable as $$ select metric_share(kills, kills + deaths) $$;
comment on function metric_efficiency is
'Kills among all duels that ended with a death on either side.
Formula: kills · 100 / (kills + deaths)
Unit: %
Source: community formula';

create function metric_dpm(damage_given bigint, seconds_played bigint) returns double precision
    language sql immutable as $$ select damage_given * 60.0::double precision / nullif(seconds_played, 0) $$;
comment on function metric_dpm is
'Damage given to enemies per minute the player was there, dead time included; who joins late is not punished for it.
Formula: damage_given · 60 / seconds_played
Unit: damage per minute
Source: game rule (own time, not the length of the round). The DPM field of the files is always 0';

create function metric_kills_per_minute(kills bigint, seconds_played bigint) returns double precision
    language sql immutable as $$ select kills * 60.0::double precision / nullif(seconds_played, 0) $$;
comment on function metric_kills_per_minute is
'Enemies killed per minute the player was there.
Formula: kills · 60 / seconds_played
Unit: kills per minute
Source: as dpm, by own time';

create function metric_frag_potential(damage_given bigint, seconds_played bigint, seconds_dead bigint)
    returns double precision
    language sql immutable as $$ select metric_dpm(damage_given, seconds_played - seconds_dead) $$;
comment on function metric_frag_potential is
'Damage given to enemies per minute not dead, by the dead time of the files. Too high where survival_disputed: see alive_dpm.
Formula: damage_given · 60 / (seconds_played − seconds_dead)
Unit: damage per minute not dead
Source: community formula; dead time is capped at the time played per round';

create function metric_alive_dpm(
    damage_given bigint, engine_alive_seconds double precision, seconds_dead bigint, seconds_played bigint
) returns double precision
    language sql immutable as $$
    select damage_given * 60 / nullif(coalesce(engine_alive_seconds, seconds_played - seconds_dead), 0) $$;
comment on function metric_alive_dpm is
'Damage given to enemies per minute alive, by the engine''s alive time as in survival_percent.
Formula: damage_given · 60 / engine_alive_seconds, else frag_potential
Unit: damage per minute alive
Source: what frag_potential means to say, with a time that is right in all files';

create function metric_damage_ratio(damage_given bigint, damage_received bigint) returns double precision
    language sql immutable as $$ select damage_given::double precision / nullif(damage_received, 0) $$;
comment on function metric_damage_ratio is
'Damage given for each point received, enemies only.
Formula: damage_given / damage_received
Unit: ratio, 1 is even
Source: community formula (there called damage efficiency)';

create function metric_accuracy(hits bigint, shots bigint) returns double precision
    language sql immutable as $$ select case when shots > 0 then hits * 100.0::double precision / shots end $$;
comment on function metric_accuracy is
'Hits among shots, all weapons. Of a single explosive weapon it can exceed 100: one grenade may hit several enemies.
Formula: hits · 100 / shots
Unit: %
Source: weapon block of the files; shots at corpses are taken back by the engine';

create function metric_aimed_accuracy(aimed_hits bigint, aimed_shots bigint) returns double precision
    language sql immutable as $$ select metric_accuracy(aimed_hits, aimed_shots) $$;
comment on function metric_aimed_accuracy is
'Hits among shots without the weapons that are thrown, laid, called in, or heal. Not to be compared with accuracy.
Formula: aimed_hits · 100 / aimed_shots, both without the weapons of aimed_accuracy_exclusion
Unit: %
Source: the set of weapons is the community''s';

create function metric_headshot_percent(headshots bigint, hits bigint) returns double precision
    language sql immutable as $$ select metric_share(headshots, hits) $$;
comment on function metric_headshot_percent is
'Hits on heads among hits, all weapons. Says nothing of kills: see headshot_kill_percent.
Formula: headshots · 100 / hits
Unit: %
Source: weapon block of the files, where headshots are hits on heads';

create function metric_headshot_kill_percent(headshot_kills bigint, kills bigint) returns double precision
    language sql immutable as $$ select metric_share(headshot_kills, kills) $$;
comment on function metric_headshot_kill_percent is
'Kills whose last hit was on the head, among kills. Another number than headshot_percent.
Formula: headshot_kills · 100 / kills
Unit: %
Source: headshot kills of the files, kills of the weapon block';

create function metric_useful_kill_percent(useful_kills bigint, kills bigint) returns double precision
    language sql immutable as $$ select metric_share(useful_kills, kills) $$;
comment on function metric_useful_kill_percent is
'Kills that cost the victim at least half a spawn interval, among kills.
Formula: useful_kills · 100 / kills
Unit: %
Source: useful kills of the files, kills of the weapon block';

create function metric_useless_kill_percent(useless_kills bigint, kills bigint) returns double precision
    language sql immutable as $$ select metric_share(useless_kills, kills) $$;
comment on function metric_useless_kill_percent is
'Kills whose victim spawned within 5 s anyway, among kills.
Formula: useless_kills · 100 / kills
Unit: %
Source: useless kills of the files (36 fields and more), kills of the weapon block';

create function metric_denied_per_minute(denied_playtime bigint, seconds_played bigint) returns double precision
    language sql immutable as $$ select denied_playtime * 60.0::double precision / nullif(seconds_played, 0) $$;
comment on function metric_denied_per_minute is
'Seconds the player''s victims were out of the game, per minute the player was there.
Formula: denied_playtime · 60 / seconds_played
Unit: seconds per minute
Source: denied playtime of the files (36 fields and more); unknown where it is above what so many kills can deny';

create function metric_multikills(
    multikills_2 bigint, multikills_3 bigint, multikills_4 bigint, multikills_5 bigint, multikills_6 bigint
) returns bigint
    language sql immutable as $$ select multikills_2 + multikills_3 + multikills_4 + multikills_5 + multikills_6 $$;
comment on function metric_multikills is
'Chains of two and more kills, each kill less than 3 s after the one before. A chain counts once, at its full length.
Formula: multikills_2 + multikills_3 + multikills_4 + multikills_5 + multikills_6
Unit: chains
Source: multikills of the files; chains of more than six are among the sixes';

create function metric_dead_percent(seconds_dead bigint, seconds_played bigint) returns double precision
    language sql immutable as $$ select metric_share(seconds_dead, seconds_played) $$;
comment on function metric_dead_percent is
'Share of the time played that was spent dead, by the dead time of the files. Too high where survival_disputed.
Formula: seconds_dead · 100 / seconds_played
Unit: %
Source: dead time of the files, capped at the time played per round and then summed. The ratio the writer prints is not used: in a round-2 file it mixes both rounds';

create function metric_survival_percent(
    engine_alive_seconds double precision, seconds_dead bigint, seconds_played bigint
) returns double precision
    language sql immutable as $$
    select metric_share(coalesce(engine_alive_seconds, seconds_played - seconds_dead), seconds_played) $$;
comment on function metric_survival_percent is
'Share of the time played that was spent alive: as the engine measured it, else what the dead time leaves.
Formula: engine_alive_seconds · 100 / seconds_played, else 100 − dead_percent
Unit: %
Source: alive share of the files, weighted by time; right in old files too, unlike their dead time';

create function metric_survival_drift(
    engine_alive_seconds double precision, seconds_dead bigint, seconds_played bigint
) returns double precision
    language sql immutable as $$
    select abs(metric_share(engine_alive_seconds, seconds_played) + metric_dead_percent(seconds_dead, seconds_played)
               - 100) $$;
comment on function metric_survival_drift is
'How far the two sources of survival_percent, the engine''s alive time and the dead time, are apart.
Formula: | engine_alive_seconds · 100 / seconds_played − (100 − dead_percent) |
Unit: percentage points
Source: files. Writers before 2026 (headers of 8 fields) add up dead time anew every 5 s: it is about twice the engine''s. Both times come in steps of 6 s, so a few points mean nothing in a short round';

create function metric_survival_disputed(
    engine_alive_seconds double precision, seconds_dead bigint, seconds_played bigint
) returns boolean
    language sql immutable as $$
    select metric_survival_drift(engine_alive_seconds, seconds_dead, seconds_played) > 2 $$;
comment on function metric_survival_disputed is
'Whether the two sources of survival_percent contradict each other; then dead_percent and frag_potential can''t be trusted.
Formula: survival_drift > 2
Unit: yes or no
Source: the community''s threshold';

create function metric_impact(
    kills bigint, damage_given bigint, fair_kills double precision, fair_damage double precision
) returns double precision
    language sql immutable as $$ select (kills / nullif(fair_kills, 0) + damage_given / nullif(fair_damage, 0)) / 2 $$;
comment on function metric_impact is
'How much of what his team did a player did: the mean of his kills and his damage, each against a fair share of his team''s in the rounds he played.
Formula: (kills / fair_kills + damage_given / fair_damage) / 2; fair: what his side did in a round, by his share of its time there, summed over his rounds
Unit: 1.00 is a fair share
Source: ours (impact/1). Deaths, support and who won do not count: support has numbers of its own';
