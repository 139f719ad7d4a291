-- Records: what can be one, and attacks against the clock. Whether a sample is large enough is a rule (rules/records.py).

-- A law that is broken or a number that no play explains keeps a round out, also where somebody who left explains it.
-- Where a number that a law needs is unknown the law was not checked: what hangs on it is no record then.
create view round_checked as
select s.session_key, s.round_key,
       laws.metadata ->> 'kills = deaths' <> 'unknown' as kills_add_up,
       laws.metadata ->> 'damage given = received' <> 'unknown' as damage_adds_up,
       file.tail_fields >= 38 as knows_all
from session_round s
join parsed_round file using (round_key)
join check_result laws
     on laws.partition_key = s.round_key and laws.check_name = 'conservation_laws' and laws.passed
join check_result bounds
     on bounds.partition_key = s.round_key and bounds.check_name = 'plausibility' and bounds.passed;
comment on view round_checked is
'Rounds whose numbers can be records where they count: they add up as far as they are known, and none is above what can be done in the time. kills_add_up, damage_adds_up: these are known of everybody; knows_all: its file has all fields.';

-- Kept as player_round_fact is, and for the same reason: a record is asked of all of history.
drop table if exists round_in_book;
create table round_in_book as select * from round_checked;
alter table round_in_book add primary key (round_key);
alter table round_in_book add foreign key (round_key) references round on delete cascade;
create index round_in_book_session on round_in_book (session_key);
comment on table round_in_book is 'The rows of round_checked as they were when their session was scored last.';

create view book_line as
select f.round_key, f.match_key, f.session_key, f.map, f.stamp, f.guid,
       case when kills_add_up then f.kills end as kills,
       case when damage_adds_up then f.damage_given end as damage_given,
       f.gibs,
       case when kills_add_up then f.killing_spree end as killing_spree,
       case when kills_add_up then f.useful_kills end as useful_kills,
       case when knows_all then f.denied_playtime end as denied_playtime,   -- before, more of it may be counted twice
       case when damage_adds_up and f.seconds_played >= least_record_seconds()
            then metric_dpm(f.damage_given, f.seconds_played) end as dpm,
       case when kills_add_up and f.seconds_played >= least_record_seconds()
            then metric_kills_per_minute(f.kills, f.seconds_played) end as kills_per_minute,
       case when f.aimed_shots >= least_record_shots()
            then metric_aimed_accuracy(f.aimed_hits, f.aimed_shots) end as aimed_accuracy,
       f.revives_given, f.headshots,
       case when kills_add_up and f.multikills_2 >= least_record_multikills() then f.multikills_2 end as multikills_2,
       case when kills_add_up and f.multikills_3 >= least_record_multikills() then f.multikills_3 end as multikills_3,
       case when kills_add_up and f.multikills_4 >= least_record_multikills() then f.multikills_4 end as multikills_4,
       case when kills_add_up and f.multikills_5 >= least_record_multikills() then f.multikills_5 end as multikills_5,
       case when kills_add_up and f.multikills_6 >= least_record_multikills() then f.multikills_6 end as multikills_6
from player_round_fact f
join round_in_book using (round_key)
where counts_in_careers(f.flags) and f.seconds_played is not null;   -- else no bound was looked at
comment on view book_line is
'What anybody did in one round of the book, of all of which there are records; null where the law of a number was not checked; a rate over too small a sample is null, and so is one chain of kills of a length. denied_playtime only of files of 38 fields: older ones may count part of it several times over.';

create view book_sum as
select of.level, f.guid, f.session_key, max(f.stamp) as stamp,
       max(f.round_key) as round_key,   -- the last: keys of one server sort as they were played
       case when of.level = 'match' then of.scope end as match_key,
       case when of.level = 'match' then max(f.map) end as map,
       case when bool_and(book.kills_add_up) and count(f.kills) = count(*) then sum(f.kills) end as kills,
       case when bool_and(book.damage_adds_up) and count(f.damage_given) = count(*)
            then sum(f.damage_given) end as damage_given,
       case when count(f.gibs) = count(*) then sum(f.gibs) end as gibs,
       case when count(f.revives_given) = count(*) then sum(f.revives_given) end as revives_given,
       case when count(f.headshots) = count(*) then sum(f.headshots) end as headshots
from player_round_fact f
left join round_in_book book using (round_key)
cross join lateral (values ('match', f.match_key), ('session', f.session_key)) of (level, scope)
group by of.level, of.scope, f.session_key, f.guid
having bool_and(book.round_key is not null and counts_in_careers(f.flags) and f.seconds_played is not null);
comment on view book_sum is
'What anybody did in a match or a session all of whose rounds, as far as he played them, are in the book; round_key is the last of them.';

create view book_entry as
select 'round' as level, session_key, match_key, round_key, map, stamp, guid, kills, damage_given, dpm,
       kills_per_minute, aimed_accuracy, gibs, denied_playtime, killing_spree, useful_kills, revives_given, headshots,
       multikills_2, multikills_3, multikills_4, multikills_5, multikills_6
from book_line
union all
select level, session_key, match_key, round_key, map, stamp, guid, kills, damage_given, null, null, null, gibs, null,
       null, null, revives_given, headshots, null, null, null, null, null
from book_sum;
comment on view book_entry is
'Rows of book_line and book_sum, of all of which there are records: by whom one was beaten is asked of everybody, also of who is named nowhere.';

-- The one place that lists the kinds of records; they are the columns above, and RecordKind in rules/records.py.
create view book_number as
select n.kind, n.value, e.level, e.session_key, e.match_key, e.round_key, e.map, e.stamp, e.guid
from book_entry e
cross join lateral (
    values ('kills', e.kills::double precision), ('damage_given', e.damage_given), ('dpm', e.dpm),
           ('kills_per_minute', e.kills_per_minute), ('aimed_accuracy', e.aimed_accuracy), ('gibs', e.gibs),
           ('denied_playtime', e.denied_playtime), ('killing_spree', e.killing_spree),
           ('useful_kills', e.useful_kills), ('revives_given', e.revives_given), ('headshots', e.headshots),
           ('multikills_2', e.multikills_2), ('multikills_3', e.multikills_3), ('multikills_4', e.multikills_4),
           ('multikills_5', e.multikills_5), ('multikills_6', e.multikills_6)
) n (kind, value)
where n.value > 0;
comment on view book_number is 'The numbers of book_entry, one row per kind of record.';

-- Wide, and indexed by each kind: whose night is the best is asked of one kind at a time, from the best night on.
create view session_best as
select e.level, of.map, e.session_key, e.guid, max(kills) as kills, max(damage_given) as damage_given,
       max(dpm) as dpm, max(kills_per_minute) as kills_per_minute, max(aimed_accuracy) as aimed_accuracy,
       max(gibs) as gibs, max(denied_playtime) as denied_playtime, max(killing_spree) as killing_spree,
       max(useful_kills) as useful_kills, max(revives_given) as revives_given, max(headshots) as headshots,
       max(multikills_2) as multikills_2, max(multikills_3) as multikills_3, max(multikills_4) as multikills_4,
       max(multikills_5) as multikills_5, max(multikills_6) as multikills_6
from book_entry e
cross join lateral (values (''), (e.map)) of (map)
where of.map is not null
group by e.level, of.map, e.session_key, e.guid;
comment on view session_best is
'The best of each kind of record that somebody reached in a session, by level: on each map, and with an empty map on all of them.';

drop table if exists book_night;
create table book_night as select * from session_best;
create index book_night_session on book_night (session_key);
-- A player's own bests are asked of rounds alone, of all kinds at once.
create index book_night_guid on book_night (guid) where level = 'round' and map = '';
create index book_night_kills on book_night (level, map, kills);
create index book_night_damage_given on book_night (level, map, damage_given);
create index book_night_dpm on book_night (level, map, dpm);
create index book_night_kills_per_minute on book_night (level, map, kills_per_minute);
create index book_night_aimed_accuracy on book_night (level, map, aimed_accuracy);
create index book_night_gibs on book_night (level, map, gibs);
create index book_night_denied_playtime on book_night (level, map, denied_playtime);
create index book_night_killing_spree on book_night (level, map, killing_spree);
create index book_night_useful_kills on book_night (level, map, useful_kills);
create index book_night_revives_given on book_night (level, map, revives_given);
create index book_night_headshots on book_night (level, map, headshots);
-- Few nights have any.
create index book_night_multikills_2 on book_night (level, map, multikills_2) where multikills_2 > 0;
create index book_night_multikills_3 on book_night (level, map, multikills_3) where multikills_3 > 0;
create index book_night_multikills_4 on book_night (level, map, multikills_4) where multikills_4 > 0;
create index book_night_multikills_5 on book_night (level, map, multikills_5) where multikills_5 > 0;
create index book_night_multikills_6 on book_night (level, map, multikills_6) where multikills_6 > 0;
alter table book_night add foreign key (session_key) references session on delete cascade;
comment on table book_night is 'The rows of session_best as they were when their session was scored last.';

create view match_attack as
select map_key(m.map) as map, m.match_key, m.session_key, a.number, a.round_key, a.team, a.seconds,
       a.completed and not handed_over.is_so as completed,
       handed_over.is_so or (not a.completed and t.surrender_side = m.attackers_side) as given_up, first.limit_seconds, file.stamp, file.name as file_name, file.sha256, t.timing_status,
       book.round_key is not null as in_book
from match m
cross join lateral (
    values (1, m.r1_key, m.attackers_first, m.r1_seconds, m.r1_completed),
           (2, m.r2_key, m.attackers_second, m.r2_seconds, m.r2_completed)
) a (number, round_key, team, seconds, completed)
join parsed_round first on first.round_key = m.r1_key
join parsed_round file on file.round_key = a.round_key
left join round_timing t on t.round_key = a.round_key
left join round_in_book book on book.round_key = a.round_key
-- Defenders who gave up: the engine ends the round as won, at a time that nobody attacked to.
cross join lateral (
    select coalesce(a.completed and t.surrender_side > 0 and t.surrender_side <> m.attackers_side, false) as is_so
) handed_over
where m.status = 'complete' and m.winner is not null and not coalesce(m.disputed, false)
  and a.seconds is not null and a.completed is not null;
comment on view match_attack is
'Both attacks of every match that was played to its end and decided: the time when completed, else how long it was held off or what it had to beat; given_up: by either side, null where nobody can tell; limit_seconds is round 1''s.';

drop table if exists map_attack;
create table map_attack as select * from match_attack;
create index map_attack_map on map_attack (map, seconds);
create index map_attack_match on map_attack (match_key);
create index map_attack_session on map_attack (session_key);
create index map_attack_played on map_attack (map, stamp, round_key) include (seconds, team, match_key, session_key)
    where completed and in_book;
alter table map_attack add foreign key (match_key) references match on delete cascade;
comment on table map_attack is 'The rows of match_attack as they were when their session was scored last.';

create view attacked_map as
with recursive seen (map) as (   -- from one map to the next by the index: they are few, and their attacks many
    select min(map) from map_attack
    union all
    select (select min(a.map) from map_attack a where a.map > seen.map) from seen where seen.map is not null
)
select map from seen where map is not null;
comment on view attacked_map is 'The maps of which map_attack has rows.';

create view fastest_attack as
select a.match_key, a.number, a.team, a.seconds, before.seconds as best_before
from map_attack a
cross join lateral (
    select min(b.seconds) as seconds, count(*) as attacks
    from map_attack b
    where b.map = a.map and b.completed and b.in_book and (b.stamp, b.round_key) < (a.stamp, a.round_key)
) before
where a.completed and a.in_book and a.seconds < before.seconds and before.attacks >= attacks_before_a_record();
comment on view fastest_attack is
'Attacks that were faster than all of ten and more completed before on their map: to be asked for single matches.';

create view attack_deed as
select 'full_hold' as deed, map, match_key, session_key, round_key, stamp, case team when 'A' then 'B' when 'B' then 'A' end as team
from map_attack
where not completed and not given_up and seconds = limit_seconds
union all
select 'map_record', map, match_key, session_key, round_key, stamp, team
from (
    with recursive played (map) as (   -- from one map to the next, and from one record to the next, by the index
        select min(map) from map_attack where completed and in_book
        union all
        select (select min(a.map) from map_attack a where a.completed and a.in_book and a.map > played.map)
        from played where played.map is not null
    ), fastest as (
        select played.map, null as match_key, null as session_key, first.round_key, first.stamp, null as team,
               first.seconds
        from played
        cross join lateral (   -- the first ones on a map are no feat
            select round_key, stamp, min(seconds) over () as seconds
            from (select round_key, stamp, seconds from map_attack a
                  where a.completed and a.in_book and a.map = played.map
                  order by stamp, round_key limit attacks_before_a_record()) slow
            order by stamp desc, round_key desc limit 1
        ) first
        union all
        select a.*
        from fastest
        cross join lateral (
            select map, match_key, session_key, round_key, stamp, team, seconds from map_attack a
            where a.completed and a.in_book and a.map = fastest.map
              and (a.stamp, a.round_key) > (fastest.stamp, fastest.round_key) and a.seconds < fastest.seconds
            order by a.stamp, a.round_key limit 1
        ) a
    )
    select * from fastest where match_key is not null
) a;
comment on view attack_deed is
'What a team did in a round, each time: a defence that held a map to its limit without the attackers giving up, an attack faster than all of ten and more completed before it on its map. What a comeback is is no matter of one round: see rules/comebacks.py.';
