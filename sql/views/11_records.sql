-- Records: what can be one, and attacks against the clock. Whether a sample is large enough is a rule (rules/records.py).

-- A law that is broken or a number that no play explains keeps a round out, also where somebody who left explains it.
-- Where a number that a law needs is unknown the law was not checked: what hangs on it is no record then.
create view round_in_book as
select laws.partition_key as round_key,
       laws.metadata ->> 'kills = deaths' <> 'unknown' as kills_add_up,
       laws.metadata ->> 'damage given = received' <> 'unknown' as damage_adds_up
from check_result laws
join check_result bounds using (partition_key)
where laws.check_name = 'conservation_laws' and laws.passed and bounds.check_name = 'plausibility' and bounds.passed
offset 0;   -- the laws are read once of each round, not for each number of each player
comment on view round_in_book is
'Rounds whose numbers can be records where they count: they add up as far as they are known, and none is above what can be done in the time. kills_add_up, damage_adds_up: these are known of everybody.';

-- Wide: the highest of each is found in one pass over all rounds, and so are those who reached it.
create view book_line as
select f.round_key, f.match_key, f.session_key, f.map, f.stamp, f.guid,
       case when kills_add_up then f.kills end as kills,
       case when damage_adds_up then f.damage_given end as damage_given,
       f.gibs,
       case when kills_add_up then f.killing_spree end as killing_spree,
       case when kills_add_up then f.useful_kills end as useful_kills,
       case when file.tail_fields >= 38 then f.denied_playtime end as denied_playtime,   -- before, more of it may be counted twice
       case when damage_adds_up and f.seconds_played >= least_record_seconds()
            then metric_dpm(f.damage_given, f.seconds_played) end as dpm,
       case when kills_add_up and f.seconds_played >= least_record_seconds()
            then metric_kills_per_minute(f.kills, f.seconds_played) end as kills_per_minute,
       case when f.aimed_shots >= least_record_shots()
            then metric_aimed_accuracy(f.aimed_hits, f.aimed_shots) end as aimed_accuracy
from player_round_fact f
join round_in_book using (round_key)
join parsed_round file using (round_key)
where counts_in_careers(f.flags) and f.seconds_played is not null;   -- else no bound was looked at
comment on view book_line is
'What anybody did in one round of the book, of all of which there are records; null where the law of a number was not checked; a rate over too small a sample is null. denied_playtime only of files of 38 fields: older ones may count part of it several times over.';

create view record_line as
select l.*, p.person, p.name from book_line l join board_person p using (guid);
comment on view record_line is
'Rows of book_line, of who may be named.';

create view record_round as
select n.kind, n.value, l.round_key, l.match_key, l.session_key, l.map, l.stamp, l.guid, l.person, l.name
from record_line l
cross join lateral (
    values ('kills', l.kills::double precision), ('damage_given', l.damage_given), ('gibs', l.gibs),
           ('killing_spree', l.killing_spree), ('useful_kills', l.useful_kills),
           ('denied_playtime', l.denied_playtime), ('dpm', l.dpm), ('kills_per_minute', l.kills_per_minute),
           ('aimed_accuracy', l.aimed_accuracy)
) n (kind, value)
where n.value > 0;
comment on view record_round is 'The numbers of record_line, one row per kind of record.';

create view book_sum as
select of.level, f.guid, f.session_key, max(f.stamp) as stamp,
       max(f.round_key) as round_key,   -- the last: keys of one server sort as they were played
       case when of.level = 'match' then of.scope end as match_key,
       case when of.level = 'match' then max(f.map) end as map,
       case when bool_and(book.kills_add_up) and count(f.kills) = count(*) then sum(f.kills) end as kills,
       case when bool_and(book.damage_adds_up) and count(f.damage_given) = count(*)
            then sum(f.damage_given) end as damage_given,
       case when count(f.gibs) = count(*) then sum(f.gibs) end as gibs
from player_round_fact f
left join round_in_book book using (round_key)
cross join lateral (values ('match', f.match_key), ('session', f.session_key)) of (level, scope)
group by of.level, of.scope, f.session_key, f.guid
having bool_and(book.round_key is not null and counts_in_careers(f.flags) and f.seconds_played is not null);
comment on view book_sum is
'What anybody did in a match or a session all of whose rounds, as far as he played them, are in the book; round_key is the last of them.';

create view record_sum as
select s.*, p.person, p.name from book_sum s join board_person p using (guid);
comment on view record_sum is
'Rows of book_sum, of who may be named.';

create view book_entry as
select 'round' as level, session_key, map, stamp, guid, kills, damage_given, gibs, killing_spree, useful_kills,
       denied_playtime, dpm, kills_per_minute, aimed_accuracy
from book_line
union all
select level, session_key, map, stamp, guid, kills, damage_given, gibs, null, null, null, null, null, null
from book_sum;
comment on view book_entry is
'Rows of book_line and book_sum, of all of which there are records: by whom one was beaten is asked of everybody, also of who is named nowhere.';

create view map_attack as
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
comment on view map_attack is
'Both attacks of every match that was played to its end and decided: the time when completed, else how long it was held off or what it had to beat; given_up: by either side, null where nobody can tell; limit_seconds is round 1''s.';

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

-- What a whole team does counts for everybody who was in it then.
create view team_deed as
select 'full_hold' as deed, f.guid, a.map, a.match_key, a.session_key, a.round_key, a.stamp
from map_attack a
join player_round_fact f on f.round_key = a.round_key and f.team <> a.team
where not a.completed and not a.given_up and a.seconds = a.limit_seconds
union all
select 'map_record', f.guid, a.map, a.match_key, a.session_key, a.round_key, a.stamp
from (
    select *, min(seconds) over before as best_before, count(*) over before as attacks_before
    from map_attack where completed and in_book
    window before as (partition by map order by stamp, round_key rows between unbounded preceding and 1 preceding)
) a
join player_round_fact f on f.round_key = a.round_key and f.team = a.team
where a.seconds < a.best_before
  and a.attacks_before >= attacks_before_a_record();   -- the first ones on a map are no feat
comment on view team_deed is
'What a player was part of, each time: a defence that held a map to its limit without the attackers giving up, an attack faster than all of ten and more completed before it on its map. What a comeback is is no matter of one round: see rules/comebacks.py.';
