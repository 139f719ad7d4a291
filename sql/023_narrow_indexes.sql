-- What nobody asks for takes no room.
--
-- Rows that are written and read by the round need to be found by their round alone. Keys of round, player and weapon took
-- a fifth of all room. That a player has a weapon once, and a round a position, is how they are made: from a mapping, and
-- by counting; two writers at once meet at the player or the round above, whose keys stay.

alter table parsed_weapon drop constraint parsed_weapon_pkey;
alter table round_weapon drop constraint round_weapon_pkey;
alter table award drop constraint award_pkey;
alter table versus drop constraint versus_pkey;
create index parsed_weapon_round on parsed_weapon (round_key);
create index round_weapon_round on round_weapon (round_key);
create index award_round on award (round_key);
create index versus_round on versus (round_key);

-- Everything that a script wrote stands in the stored bytes of its record; nothing read it here.
alter table timing_record drop column raw;
