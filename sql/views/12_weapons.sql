-- What players did with each weapon, for every level.

create view weapon_session_sum as
select session_key, guid, weapon, count(*) as rounds, sum(kills) as kills, sum(deaths) as deaths, sum(hits) as hits,
       sum(shots) as shots, sum(headshots) as headshots
from valid_round_weapon
group by session_key, guid, weapon;

-- A career has tens of thousands of rows of weapons, so what each session adds to it is kept here, too.
drop table if exists player_weapon_fact;
create table player_weapon_fact as select * from weapon_session_sum;
create index player_weapon_fact_session on player_weapon_fact (session_key);
create index player_weapon_fact_guid on player_weapon_fact (guid) include (weapon, rounds, kills, deaths, hits, shots, headshots);
alter table player_weapon_fact add foreign key (session_key) references session on delete cascade;
comment on table player_weapon_fact is
'What everybody did with each weapon in each session: rows of weapon_session_sum, kept as those of player_round_fact are.';

create view weapon_metric as
select level, scope, guid, weapon, rounds, kills, deaths, hits, shots, headshots, metric_accuracy(hits, shots) as accuracy,
       metric_headshot_percent(headshots, hits) as headshot_percent
from (
    select level, scope, w.guid, weapon, count(*) as rounds, sum(kills) as kills, sum(deaths) as deaths,
           sum(hits) as hits, sum(shots) as shots, sum(headshots) as headshots
    from round_level
    join valid_round_weapon w using (round_key)
    where level <> 'career'
    group by level, scope, w.guid, weapon
    union all
    select 'career', 'all', p.person_guid, weapon, sum(rounds)::bigint, sum(kills)::bigint, sum(deaths)::bigint,
           sum(hits)::bigint, sum(shots)::bigint, sum(headshots)::bigint
    from (   -- in two parts, as in player_career_sum
        select f.guid as person_guid, f.*
        from player_weapon_fact f left join person_decided d on d.guid = f.guid
        where d.person_guid is null or d.person_guid = f.guid
        union all
        select d.person_guid, f.*
        from person_decided d join player_weapon_fact f on f.guid = d.guid
        where d.person_guid <> d.guid
    ) p
    group by p.person_guid, weapon
) summed;
comment on view weapon_metric is
'What a player did with each weapon, for every level; rounds are those in which it did anything. deaths are those BY this weapon, so no kd is made of them. Shots of the knife can exceed the player''s total: the engine takes shots at corpses back. Sum it before it is joined to players.';
