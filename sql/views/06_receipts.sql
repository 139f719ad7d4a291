-- What stands behind numbers, for receipts: nothing is decided here.

-- One row per player line of a placed round's file: the bytes it is from, what they and round 1's say, and the round's
-- own numbers (no entry: he sat it out). Minutes are as the writer rounds them, to a tenth.
create view player_round_receipt as
select r.round_key, line.guid, file.name as file_name, file.sha256, file.generation,
       first.name as first_file_name, first.sha256 as first_sha256,
       said.kills as file_kills, before.kills as first_kills, own.kills,
       said.deaths as file_deaths, before.deaths as first_deaths, own.deaths,
       line.damage_given as file_damage_given, before.damage_given as first_damage_given, own.damage_given,
       line.damage_received as file_damage_received, before.damage_received as first_damage_received,
       own.damage_received,
       line.minutes_played as file_minutes_played, before.minutes_played as first_minutes_played, own.seconds_played,
       own.seconds_dead, own.seconds_dead_raw, own.name, own.side, own.flags, own.guid is not null as has_entry
from round r
join parsed_round file using (round_key)
join parsed_player line using (round_key)
cross join lateral (
    select coalesce(sum(kills), 0) as kills, coalesce(sum(deaths), 0) as deaths
    from parsed_weapon w where w.round_key = line.round_key and w.guid = line.guid
) said
left join parsed_round first
    on first.round_key = r.partner_key and r.number = 2 and not 'played_as_round_1' = any(r.flags)
left join lateral (
    select p.damage_given, p.damage_received, p.minutes_played,
           coalesce(sum(w.kills), 0) as kills, coalesce(sum(w.deaths), 0) as deaths
    from parsed_player p left join parsed_weapon w using (round_key, guid)
    where p.round_key = first.round_key and p.guid = line.guid
    group by p.round_key, p.guid
) before on true
left join round_player own on own.round_key = line.round_key and own.guid = line.guid;

comment on view player_round_receipt is
'One row per player line of a placed round: the file and sha256 it is from, what it says, what round 1''s says, and his own numbers.';
