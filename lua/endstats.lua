--[[
endstats.lua: the awards of every round and who killed whom, for servers that have no other script that writes them.

What it does
  A second after the end of a round it writes gamestats/<local time>-<map>-round-<n>-endstats.txt: a line per award,
  then a block per player with his opponents, as the newest of the scripts of this name does. Over is what the engine's
  line "Exit: ..." ended: a round that is restarted, reset or left by a map change has no awards.

Install
  Put this file into the folder of the mod in the place of any other endstats.lua, name it in the cvar lua_modules, load
  a map. See README.md beside this file, also for what it writes other than its namesake.

How to see that it is alive
  The line "slomix_endstats: version ..." at every map load, and the cvar slomix_endstats (rcon slomix_endstats).

Runs under Lua 5.3, 5.4 and LuaJIT. The engine ends this Lua state and starts a new one at every map load and every
map_restart; what round 2 has to know of round 1 is kept in the spool.
]]

local VERSION = "1.1.0"

local FOLDER = "gamestats/"
local CARRIED = "slomix_spool/endstats.txt"
local CARRIED_FOR = 3600 -- s; later round 2 is of no known round 1

-- Engine constants by name; the numbers are for engines that do not export the name.
local PLAYING = et.GS_PLAYING or 0
local INTERMISSION = et.GS_INTERMISSION or 3
local AXIS = et.TEAM_AXIS or 1
local ALLIES = et.TEAM_ALLIES or 2
local CONNECTED = et.CON_CONNECTED or 2
local READ = et.FS_READ or 0
local WRITE = et.FS_WRITE or 1
local CS_LEVEL_START_TIME = et.CS_LEVEL_START_TIME or 11
local CS_REINFSEEDS = et.CS_REINFSEEDS or 31
local CS_SERVERTOGGLES = et.CS_SERVERTOGGLES or 32
local PAUSED = et.CV_SVS_PAUSE or 16 -- of CS_SERVERTOGGLES
local IN_LIMBO = 16384 -- of ps.pm_flags

-- A set of means of death, by the engine's numbers.
local function means(names)
  local set = {}
  for name, number in pairs(names) do
    set[et["MOD_" .. name] or number] = true
  end
  return set
end

local EXPLOSIVES = means({
  GRENADE = 4, PANZERFAUST = 15, GRENADE_LAUNCHER = 16, GRENADE_PINEAPPLE = 18, MAPMORTAR = 19,
  MAPMORTAR_SPLASH = 20, DYNAMITE = 22, AIRSTRIKE = 23, ARTY = 26, GPG40 = 39, M7 = 40, LANDMINE = 41, SATCHEL = 42, MORTAR = 52,
  MORTAR2 = 63, BAZOOKA = 64,
})
local LIGHT_WEAPONS = means({
  LUGER = 6, COLT = 7, MP40 = 8, THOMPSON = 9, STEN = 10, SILENCER = 12, SILENCED_COLT = 45, AKIMBO_COLT = 53,
  AKIMBO_LUGER = 54, AKIMBO_SILENCEDCOLT = 55, AKIMBO_SILENCEDLUGER = 56, MP34 = 66,
})
local RIFLENADES = means({ GPG40 = 39, M7 = 40 })
local PANZERS = means({ PANZERFAUST = 15, BAZOOKA = 64 })
local MORTARS = means({ MORTAR = 52, MORTAR2 = 63 })
local MACHINE_GUNS = means({ MACHINEGUN = 1, BROWNING = 2, MG42 = 3, MOBILE_MG42 = 44, MOBILE_BROWNING = 62 })

local KILLS_WITH = {
  light_weapon_kills = LIGHT_WEAPONS,
  pistol_kills = means({
    LUGER = 6, COLT = 7, SILENCER = 12, SILENCED_COLT = 45, AKIMBO_COLT = 53, AKIMBO_LUGER = 54,
    AKIMBO_SILENCEDCOLT = 55, AKIMBO_SILENCEDLUGER = 56,
  }),
  rifle_kills = means({ GARAND = 11, CARBINE = 37, KAR98 = 38, K43 = 50 }),
  riflenade_kills = RIFLENADES,
  sniper_kills = means({ GARAND_SCOPE = 46, K43_SCOPE = 51 }),
  knife_kills = means({ KNIFE = 5, KNIFE_KABAR = 61, BACKSTAB = 65 }),
  air_support_kills = means({ AIRSTRIKE = 23, ARTY = 26 }),
  mine_kills = means({ LANDMINE = 41 }),
  grenade_kills = means({ GRENADE = 4, GRENADE_LAUNCHER = 16, GRENADE_PINEAPPLE = 18 }),
  panzer_kills = PANZERS,
  mortar_kills = MORTARS,
  mg42_kills = MACHINE_GUNS,
}
local DEATHS_BY = { panzer_deaths = PANZERS, mortar_deaths = MORTARS, mg42_deaths = MACHINE_GUNS }

local SHORTEST_GUID = 8 -- characters: what stats files show of one
local LONGEST_NAME = 64 -- bytes; the engine ends them at 35
local SAVED_AFTER = 1000 -- ms of intermission
local EXIT_TO_INTERMISSION = 2000 -- ms; an "Exit:" line that no intermission follows by then was none
local STORED_EVERY = 5000 -- ms; what is lost of a player whose leaving the engine does not tell
local ASSIST_WITHIN = 1500 -- ms before the death
local CHAIN_WITHIN = 3000 -- ms from kill to kill of a multikill
local SPREE_FROM = 3
local TOUCHES_WITHIN = 1000 -- ms; the engine may tell of one pickup in several frames
local UNITS_PER_METRE = 39.37

local round -- the round being played, nil before it starts
local map_load_seen = false -- et_InitGame was called in this Lua state
local awake = false

------------------------------------------------------------------------------------------------------------------------
-- Engine values

local function log(text)
  et.G_LogPrint("slomix_endstats: " .. text .. "\n")
end

-- A number, or nil for anything that is none (LuaJIT also reads "nan" and "inf" as numbers).
local function number_of(value)
  local number = tonumber(value)
  if number and number == number and math.abs(number) < 1e15 then
    return number
  end
  return nil
end

-- Digits of a number, cut to a whole one: %d refuses fractions.
local function whole(number)
  return string.format("%d", math.floor(number))
end

-- At most two decimals, and none of them a needless zero.
local function hundredths(number)
  return string.format("%.14g", math.floor(number * 100 + 0.5) / 100)
end

local function has_bit(value, bit)
  return value ~= nil and math.floor(value / bit) % 2 == 1
end

local function sorted_keys(values)
  local keys = {}
  for key in pairs(values) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  return keys
end

local function cvar_number(name)
  return number_of(et.trap_Cvar_Get(name))
end

-- A field of a client; nil where the engine refuses.
local function client(slot, field, index)
  local fine, value = pcall(et.gentity_get, slot, field, index)
  return fine and value or nil
end

local function side_of(slot)
  local team = client(slot, "sess.sessionTeam")
  return (team == AXIS or team == ALLIES) and team or nil
end

-- The name as the stats file has it, cleaned as readers clean that to find whose an award is.
local function name_of(slot)
  local name = tostring(client(slot, "pers.netname") or ""):gsub("\\", "/"):gsub("[%c\127]", " "):sub(1, LONGEST_NAME)
  return (tostring(et.Q_CleanStr(name)):gsub("[^\32-\126]", ""))
end

-- The GUID in letters and digits; "" for who has none: such a client sends nothing, "unknown" or "NO_GUID".
local function guid_of(slot)
  local guid = tostring(et.Info_ValueForKey(et.trap_GetUserinfo(slot), "cl_guid") or "")
  guid = guid:upper():gsub("[^%w]", "")
  return #guid >= SHORTEST_GUID and guid or ""
end

local function is_paused()
  return has_bit(number_of(et.trap_GetConfigstring(CS_SERVERTOGGLES)), PAUSED)
end

------------------------------------------------------------------------------------------------------------------------
-- Files, through the engine: names are relative to <fs_homepath>/<fs_game>/, folders are made where they are missing

local function read_file(name)
  local handle, length = et.trap_FS_FOpenFile(name, READ)
  if not length or length < 0 then
    return nil
  end
  local text = et.trap_FS_Read(handle, length)
  et.trap_FS_FCloseFile(handle)
  return text
end

local function write_file(name, text)
  local handle, length = et.trap_FS_FOpenFile(name, WRITE)
  if not handle or handle == 0 or (length or -1) < 0 then
    return false
  end
  et.trap_FS_Write(text, #text, handle)
  et.trap_FS_FCloseFile(handle)
  return read_file(name) == text
end

-- Where the operating system has such a file.
local function os_path(name)
  local game = et.trap_Cvar_Get("fs_game")
  return et.trap_Cvar_Get("fs_homepath") .. "/" .. (game ~= "" and game or "legacy") .. "/" .. name
end

-- Under another name first, so that nobody fetches half a file; directly where the engine does not rename.
local function write_whole_file(name, text)
  local unfinished = name .. ".tmp"
  if et.trap_FS_Rename and write_file(unfinished, text) then
    et.trap_FS_Rename(unfinished, name)
    if read_file(name) == text then
      return true
    end
    os.remove(os_path(unfinished))
  end
  return write_file(name, text)
end

------------------------------------------------------------------------------------------------------------------------
-- What the engine counts. It may go on from round to round, begin anew or not, as it likes: only what it adds while a
-- player is in the round is taken. Readers expect the sums of both rounds in round 2, so round 1 leaves its own.

local SESSION = {
  "kills", "deaths", "damage_given", "damage_received", "team_damage_given", "team_damage_received", "team_kills",
  "self_kills", "gibs", "time_axis", "time_allies", "time_played",
}
local LIGHT_SLOTS = { 2, 3, 4, 5, 6, 26 } -- of sess.aWeaponStats: Luger, Colt, MP 40, Thompson, Sten, MP 34
local LIGHT = { light_shots = 1, light_heads = 3, light_hits = 4 } -- where a weapon has them

local KEYS = { "light_shots", "light_heads", "light_hits" } -- of all counters, in the order of the spool
for _, name in ipairs(SESSION) do
  KEYS[#KEYS + 1] = name
end

local function read_counters(slot)
  local found = {}
  for _, name in ipairs(SESSION) do
    found[name] = client(slot, "sess." .. name) or 0
  end
  for name, place in pairs(LIGHT) do
    found[name] = 0
    for _, weapon in ipairs(LIGHT_SLOTS) do
      found[name] = found[name] + ((client(slot, "sess.aWeaponStats", weapon) or {})[place] or 0)
    end
  end
  return found
end

-- First line: unix time, the time to beat, map; then per line a GUID and his counters.
local function carried_text(players, minutes)
  local lines = { whole(os.time()) .. " " .. string.format("%f", minutes) .. " " .. round.map }
  for _, player in ipairs(players) do
    local cells = { player.guid }
    for _, key in ipairs(KEYS) do
      cells[#cells + 1] = whole(player.engine[key])
    end
    lines[#lines + 1] = player.guid ~= "" and table.concat(cells, " ") or nil -- else nobody knows him again
  end
  return table.concat(lines, "\n") .. "\n"
end

local function numbers_in(text)
  local found, place = {}, 0
  for number in text:gmatch("%-?%d+") do
    place = place + 1
    found[KEYS[place] or "more"] = tonumber(number)
  end
  return place == #KEYS and found or nil
end

-- By GUID; nil where the spool is not of the round 1 whose time is to beat now.
local function read_carried(minutes)
  local first, rest = (read_file(CARRIED) or ""):match("^([^\n]*)\n(.*)$")
  local unix, to_beat, map = (first or ""):match("^(%d+) (%S+) (.*)$")
  local same = map == round.map and math.abs((tonumber(to_beat) or -1) - minutes) < 0.001
  if not same or math.abs(os.time() - tonumber(unix)) > CARRIED_FOR then
    return nil
  end
  local found = {}
  for guid, numbers in rest:gmatch("(%w+) ([^\n]*)\n") do
    found[guid] = numbers_in(numbers)
  end
  return found
end

------------------------------------------------------------------------------------------------------------------------
-- The round and its clock. Level time runs on in pauses, so each frame counts as played or as paused.

local function begin_round(level)
  local second = cvar_number("g_currentRound") == 1
  round = {
    map = et.trap_Cvar_Get("mapname"):gsub("[^%w_.+-]", "_"),
    number = second and 2 or 1, -- known now; the engine counts on when the round is over, or back before it is left
    start_level = level,
    last_level = level,
    paused_ms = 0,
    next_store = level,
    players = {},
    by_slot = {},
    spawned = {}, -- slots whose spawn is not settled yet
    heads = {}, -- head hits so far, by slot
  }
  if second then
    round.carried = read_carried(cvar_number("timelimit") or 0)
  end
end

local function played_ms()
  return round.last_level - round.start_level - round.paused_ms
end

local function count_frame(level)
  if is_paused() then
    round.paused_ms = round.paused_ms + level - round.last_level
  end
  round.last_level = level
end

local REINFORCEMENT_DIVISORS = { 11, 3, 13, 7, 2, 5, 1, 17 }

-- When a side's first wave comes, in ms: one of eight seeds, which the first two numbers choose by their upper bits.
local function wave_offset(side)
  local seeds = {}
  for number in et.trap_GetConfigstring(CS_REINFSEEDS):gmatch("%-?%d+") do
    seeds[#seeds + 1] = tonumber(number)
  end
  local place = side == ALLIES and math.floor((seeds[1] or 0) / 8) or math.floor((seeds[2] or 0) / 4)
  local seed = seeds[place + 3]
  return seed and REINFORCEMENT_DIVISORS[place + 1] and math.floor(1000 * seed / REINFORCEMENT_DIVISORS[place + 1]) or 0
end

-- ms until a side's next spawn wave, and from wave to wave; nil where the server does not say.
local function next_wave(side)
  local interval = cvar_number(side == AXIS and "g_redlimbotime" or "g_bluelimbotime")
  local start = number_of(et.trap_GetConfigstring(CS_LEVEL_START_TIME))
  if not interval or interval <= 0 or not start then
    return nil
  end
  return interval - (wave_offset(side) + round.last_level - start) % interval, interval
end

------------------------------------------------------------------------------------------------------------------------
-- Players: one entry per person, taken up again when he is back

local function absent_player(guid)
  for _, player in ipairs(round.players) do
    if not player.present and player.guid == guid and guid ~= "" then
      return player
    end
  end
  return nil
end

local function new_player(guid)
  local player = {
    guid = guid,
    engine = {}, -- what the engine counted of him in this round
    counts = {},
    victims = {}, -- how often he killed whom
    denied_ms = 0,
    kill_run = 0,
    death_run = 0,
    chain = 0,
    light_chain = 0,
    hits = {}, -- that enemies landed on him lately
    touched = {}, -- when he last touched an objective, by colour
  }
  for _, key in ipairs(KEYS) do
    player.engine[key] = 0
  end
  table.insert(round.players, player)
  return player
end

local function player_at(slot)
  if not round.by_slot[slot] and client(slot, "pers.connected") == CONNECTED then
    local guid = guid_of(slot)
    local player = absent_player(guid) or new_player(guid)
    player.present, player.before = true, read_counters(slot)
    round.by_slot[slot] = player
  end
  return round.by_slot[slot]
end

-- Adds what the engine counted since the last time.
local function store(slot, player)
  local now = read_counters(slot)
  for key, number in pairs(now) do
    player.engine[key] = player.engine[key] + number - player.before[key]
  end
  player.before = now
end

local function store_all()
  for slot = 0, (cvar_number("sv_maxclients") or 64) - 1 do
    if client(slot, "pers.connected") == CONNECTED then
      store(slot, player_at(slot))
    end
  end
end

local function add(player, name, number)
  player.counts[name] = (player.counts[name] or 0) + (number or 1)
end

-- Keeps the highest.
local function best(player, name, number)
  player.counts[name] = math.max(player.counts[name] or 0, number)
end

local function longest(player, name, run)
  if run >= SPREE_FROM then
    best(player, name, run)
  end
end

-- Kills, each soon after the one before, are counted once they are all there.
local function end_chain(player)
  if player.chain > 1 then
    add(player, player.chain == 2 and "doublekills" or "multikills")
  end
  player.chain = 0
end

-- Of chains with light weapons the one with the most kills counts, and of these the quickest.
local function extend_light_chain(player)
  local now = played_ms()
  if player.light_chain == 0 or now - player.last_light_kill >= CHAIN_WITHIN then
    player.light_chain, player.light_chain_since = 0, now
  end
  player.light_chain, player.last_light_kill = player.light_chain + 1, now
  local kills, ms, known = player.light_chain, now - player.light_chain_since, player.quickest
  if kills >= 3 and (not known or kills > known.kills or kills == known.kills and ms < known.ms) then
    player.quickest = { kills = kills, ms = ms }
  end
end

-- Ends the time a player is dead; who killed him has kept him out for so long.
local function end_death(player)
  if player.dead_since and player.killer then
    player.killer.denied_ms = player.killer.denied_ms + played_ms() - player.dead_since
  end
  player.dead_since, player.killer = nil, nil
end

local function end_runs(player)
  end_death(player)
  end_chain(player)
  longest(player, "killing_spree", player.kill_run)
  longest(player, "death_spree", player.death_run)
  player.kill_run, player.death_run, player.light_chain = 0, 0, 0
end

-- Notes who is back since the last frame. Who changed sides is put into limbo first: that is no spawn yet.
local function settle_spawns()
  for _, slot in ipairs(sorted_keys(round.spawned)) do
    local player = player_at(slot)
    if player and not (side_of(slot) and has_bit(client(slot, "ps.pm_flags"), IN_LIMBO)) then
      end_death(player)
    end
  end
  round.spawned = {}
end

local function note_gone(slot)
  local player = round.by_slot[slot]
  if player then
    end_runs(player)
    player.hits, player.touched = {}, {}
    player.present = nil
    round.by_slot[slot] = nil
  end
  round.spawned[slot] = nil
  round.heads[slot] = nil
end

------------------------------------------------------------------------------------------------------------------------
-- Fights

local function head_hits(slot)
  return client(slot, "pers.playerStats.hitRegions", 0)
end

local function note_head_hits()
  for slot in pairs(round.by_slot) do
    round.heads[slot] = head_hits(slot)
  end
end

-- The engine counts a hit by its region before it tells of the damage.
local function is_head_hit(slot)
  local before, now = round.heads[slot], head_hits(slot)
  round.heads[slot] = now
  return before ~= nil and now ~= nil and now > before
end

local function are_enemies(slot, other)
  local side, other_side = side_of(slot), side_of(other)
  return side ~= nil and other_side ~= nil and side ~= other_side
end

local function note_hit(target, attacker, damage, mod)
  local victim, shooter = player_at(target), player_at(attacker)
  local head = shooter and is_head_hit(attacker)
  if not victim or not shooter or not are_enemies(target, attacker) or (client(target, "health") or 0) <= 0 then
    return -- a mate, a body, or no player at all
  end
  local now, recent = played_ms(), {}
  for _, hit in ipairs(victim.hits) do
    if now - hit.at <= ASSIST_WITHIN then
      recent[#recent + 1] = hit
    end
  end
  recent[#recent + 1] =
    { by = shooter, at = now, damage = damage, head = head, explosive = EXPLOSIVES[mod] ~= nil }
  victim.hits = recent
end

-- Who else hit the victim just before, and whether one of them did more to him than the killer, bullets against bullets.
local function credit_helpers(victim, killer, explosive)
  local bullets, helpers = {}, {}
  for _, hit in ipairs(victim.hits) do
    if played_ms() - hit.at <= ASSIST_WITHIN then
      bullets[hit.by] = (bullets[hit.by] or 0) + (hit.explosive and 0 or hit.damage)
      if hit.by ~= killer and not helpers[hit.by] then
        helpers[hit.by] = true
        add(hit.by, "kill_assists")
      end
    end
  end
  for helper in pairs(helpers) do
    if not explosive and bullets[helper] > (bullets[killer] or 0) then
      add(killer, "kill_steals")
      return
    end
  end
end

local function metres_between(slot, other)
  local from, to = client(slot, "ps.origin"), client(other, "ps.origin")
  if not from or not to then
    return 0
  end
  local square = (from[1] - to[1]) ^ 2 + (from[2] - to[2]) ^ 2 + (from[3] - to[3]) ^ 2
  return math.floor(math.sqrt(square)) / UNITS_PER_METRE
end

local function credit_weapon(victim, killer, mod)
  for name, set in pairs(KILLS_WITH) do
    add(killer, name, set[mod] and 1 or 0)
  end
  for name, set in pairs(DEATHS_BY) do
    add(victim, name, set[mod] and 1 or 0)
  end
  if LIGHT_WEAPONS[mod] then
    extend_light_chain(killer)
  end
end

local function credit_kill(victim, killer, victim_side, mod)
  local explosive = EXPLOSIVES[mod] ~= nil
  killer.victims[victim] = (killer.victims[victim] or 0) + 1
  credit_weapon(victim, killer, mod)
  credit_helpers(victim, killer, explosive)
  local last = victim.hits[#victim.hits]
  if last and last.by == killer and last.head and not explosive then
    add(killer, "headshot_kills")
  end
  local wait, interval = next_wave(victim_side)
  if wait then
    add(killer, "useful_kills", 2 * wait >= interval and 1 or 0)
    add(killer, "useless_kills", wait < 5000 and 1 or 0)
  end
  if killer.chain > 0 and played_ms() - killer.last_kill >= CHAIN_WITHIN then
    end_chain(killer)
  end
  killer.chain, killer.last_kill = killer.chain + 1, played_ms()
  longest(killer, "death_spree", killer.death_run)
  killer.death_run = 0
  if not killer.dead_since then -- a grenade may still kill after its owner's death
    killer.kill_run = killer.kill_run + 1
  end
end

local function note_death(slot, killer_slot, mod)
  local victim, killer = player_at(slot), player_at(killer_slot)
  if not victim then
    return
  end
  settle_spawns()
  local enemy = killer ~= nil and are_enemies(slot, killer_slot)
  if enemy then
    credit_kill(victim, killer, side_of(slot), mod)
    if RIFLENADES[mod] then
      best(killer, "farthest_riflenade_kill", metres_between(slot, killer_slot))
    end
  end
  longest(victim, "killing_spree", victim.kill_run)
  victim.kill_run, victim.hits = 0, {}
  if enemy or killer == victim or not killer then -- not by a mate
    victim.death_run = victim.death_run + 1
  end
  if not victim.dead_since then
    victim.dead_since, victim.killer = played_ms(), enemy and killer or nil
  end
end

-- An objective in somebody's hands: the enemy's is stolen, the own side's is returned.
local function note_objective(slot, colour)
  local player, side = player_at(slot), side_of(slot)
  if not player or not side then
    return
  end
  local touched = player.touched[colour]
  player.touched[colour] = round.last_level
  if not touched or round.last_level - touched > TOUCHES_WITHIN then
    local own = colour == (side == AXIS and "red" or "blue")
    add(player, own and "objectives_returned" or "objectives_stolen")
  end
end

local DEEDS = {
  Dynamite_Plant = "dynamites_planted",
  Dynamite_Diffuse = "dynamites_defused",
  Medic_Revive = "revives_given",
}

local function note_print(text)
  local word, rest = text:match("^([%a_]+): ([^\r\n]*)")
  local first, second = (rest or ""):match("^(%d+)%s*(%d*)")
  local player = round.by_slot[tonumber(first)]
  if not player then
    return
  end
  if DEEDS[word] then
    add(player, DEEDS[word])
  elseif word == "Item" and rest:match("team_CTF_%a+flag") then
    note_objective(tonumber(first), rest:match("team_CTF_(%a+)flag"))
  end
  local revived = word == "Medic_Revive" and round.by_slot[tonumber(second)]
  if revived then
    add(revived, "times_revived")
  end
end

------------------------------------------------------------------------------------------------------------------------
-- Awards. What the engine counts goes on from round 1, and readers know that of the awards made of it.

-- Of both rounds in a round 2; nothing where round 1 is not known.
local function engine_total(one, name)
  if round.number == 1 then
    return one.player.engine[name]
  end
  local before = round.carried and (round.carried[one.player.guid] or {})[name] or 0
  return round.carried and before + one.player.engine[name] or 0
end

local function engine_count(name)
  return function(one)
    return engine_total(one, name)
  end
end

local function own_count(name)
  return function(one)
    return one.player.counts[name] or 0
  end
end

local function team_ms(one)
  return engine_total(one, "time_axis") + engine_total(one, "time_allies")
end

local function dead_ms(one)
  return math.max(0, team_ms(one) - engine_total(one, "time_played"))
end

local function kills_per_minute(one)
  local kills, ms = engine_total(one, "kills"), team_ms(one)
  return kills > 10 and ms > 0 and kills * 60000 / ms or 0
end

local function kill_ratio(one)
  local kills = engine_total(one, "kills")
  return kills > 9 and kills / math.max(1, engine_total(one, "deaths")) or 0
end

-- How many times a life's health a player took per death.
local function tank_ratio(one)
  local deaths, received = engine_total(one, "deaths"), engine_total(one, "damage_received")
  local times = deaths > 0 and received / deaths / 130 or 0
  return received > 2000 and times > 3 and times or 0
end

-- Only of who was there for long: ten minutes, or the whole limit.
local function dead_percent(one)
  local ms, limit = team_ms(one), (cvar_number("timelimit") or 0) * 60000
  return ms > 0 and (ms > 600000 or ms >= limit) and 100 * dead_ms(one) / ms or 0
end

-- The higher, the less time dead.
local function alive_percent(one)
  local dead = dead_percent(one)
  return dead > 1 and dead < 100 and 100 - dead or 0
end

local function accuracy(one)
  local shots = engine_total(one, "light_shots")
  return shots > 100 and 100 * engine_total(one, "light_hits") / shots or 0
end

local function headshot_percent(one)
  local hits = engine_total(one, "light_hits")
  return engine_total(one, "light_shots") > 100 and hits > 10 and 100 * engine_total(one, "light_heads") / hits or 0
end

local function quickest_multikill(one)
  local chain = one.player.quickest
  return chain and chain.kills * 1e9 - chain.ms or 0
end

local function percent_text(number)
  return hundredths(number) .. " percent"
end

local function dead_text(_, one)
  return hundredths(dead_percent(one)) .. " percent, " .. hundredths(dead_ms(one) / 60000) .. " min"
end

-- {label, what counts, how it is shown: whole numbers if nothing is said, above what}
local AWARDS = {
  { "Most damage given", engine_count("damage_given") },
  { "Most damage received", engine_count("damage_received") },
  { "Most team damage given", engine_count("team_damage_given") },
  { "Most team damage received", engine_count("team_damage_received") },
  { "Most teamkills", engine_count("team_kills") },
  { "Most selfkills", engine_count("self_kills") },
  { "Most deaths", engine_count("deaths") },
  { "Most kills per minute", kills_per_minute, hundredths },
  { "Most doublekills", own_count("doublekills") },
  { "Most multikills", own_count("multikills") },
  { "Quickest multikill w/ light weapons", quickest_multikill, function(_, one)
    return whole(one.player.quickest.kills) .. " kills in " .. hundredths(one.player.quickest.ms / 1000) .. "s"
  end },
  { "Farthest riflenade kill", own_count("farthest_riflenade_kill"), function(metres)
    return hundredths(metres) .. " m"
  end },
  { "Most light weapon kills", own_count("light_weapon_kills") },
  { "Most pistol kills", own_count("pistol_kills") },
  { "Most rifle kills", own_count("rifle_kills") },
  { "Most riflenade kills", own_count("riflenade_kills") },
  { "Most sniper kills", own_count("sniper_kills") },
  { "Most knife kills", own_count("knife_kills") },
  { "Most air support kills", own_count("air_support_kills") },
  { "Most mine kills", own_count("mine_kills") },
  { "Most grenade kills", own_count("grenade_kills") },
  { "Most panzer kills", own_count("panzer_kills") },
  { "Most mortar kills", own_count("mortar_kills") },
  { "Most panzer deaths", own_count("panzer_deaths") },
  { "Mortarmagnet", own_count("mortar_deaths") },
  { "Most MG42 kills", own_count("mg42_kills") },
  { "Most MG42 deaths", own_count("mg42_deaths") },
  { "Most revives", own_count("revives_given") },
  { "Most revived", own_count("times_revived") },
  { "Best K/D ratio", kill_ratio, function(number)
    return string.format("%.14g", number)
  end },
  { "Most dynamites planted", own_count("dynamites_planted") },
  { "Most dynamites defused", own_count("dynamites_defused") },
  { "Longest killing spree", own_count("killing_spree") },
  { "Longest death spree", own_count("death_spree") },
  { "Most objectives stolen", own_count("objectives_stolen") },
  { "Most objectives returned", own_count("objectives_returned") },
  { "Most corpse gibs", engine_count("gibs") },
  { "Most kill assists", own_count("kill_assists") },
  { "Most killsteals", own_count("kill_steals") },
  { "Most headshot kills", own_count("headshot_kills") },
  { "Tank/Meatshield (Refuses to die)", tank_ratio, function(number)
    return string.format("Damage received vs death ratio: %.1fx", number)
  end },
  { "Most useful kills (>Half respawn time left)", own_count("useful_kills") },
  { "Most useless kills", own_count("useless_kills"), whole, 3 },
  { "Full respawn king", dead_percent, dead_text },
  { "Least time dead (What spawn?)", alive_percent, dead_text, 0 },
  { "Most playtime denied", function(one)
    return math.floor(one.player.denied_ms / 1000)
  end, function(seconds)
    return whole(seconds) .. " seconds"
  end },
  { "Highest light weapons accuracy", accuracy, percent_text },
  { "Highest headshot accuracy", headshot_percent, percent_text },
  { "Most headshots", engine_count("light_heads") },
  { "Most bullets fired", engine_count("light_shots") },
}

-- The line of an award, or nil: the highest number gets it, the first of those who share it.
local function award_line(award, present)
  local label, number_for, show, above = award[1], award[2], award[3] or whole, award[4] or 1
  local winner, highest = nil, above
  for _, one in ipairs(present) do
    local number = number_for(one)
    if number > highest then
      winner, highest = one, number
    end
  end
  return winner and label .. "\t" .. winner.name .. "\t" .. show(highest, winner) or nil
end

------------------------------------------------------------------------------------------------------------------------
-- The file

-- Everybody who stands on a side now, in the order of slots.
local function players_present()
  local present = {}
  for slot = 0, (cvar_number("sv_maxclients") or 64) - 1 do
    local player, side = player_at(slot), side_of(slot)
    if player and side then
      present[#present + 1] = { slot = slot, side = side, player = player, name = name_of(slot) }
    end
  end
  return present
end

-- A header, then a line per opponent with kills and deaths; nothing where nobody killed anybody.
local function add_duels(lines, one, present)
  local duels = {}
  for place, other in ipairs(present) do
    local kills, deaths = one.player.victims[other.player] or 0, other.player.victims[one.player] or 0
    if other.side ~= one.side and kills + deaths > 0 then
      duels[#duels + 1] = { place = place, name = other.name, kills = kills, deaths = deaths }
    end
  end
  table.sort(duels, function(a, b)
    return a.kills > b.kills or a.kills == b.kills and a.place < b.place
  end)
  if #duels > 0 then
    local guid = one.player.guid ~= "" and one.player.guid or string.format("NOGUID%02d", one.slot) -- it must be read
    lines[#lines + 1] = "VS_HEADER\t" .. one.name .. "\t" .. guid
  end
  for _, duel in ipairs(duels) do
    lines[#lines + 1] = duel.name .. "\t" .. whole(duel.kills) .. "\t" .. whole(duel.deaths)
  end
end

-- All that is said about the round, as it is now.
local function describe()
  store_all()
  for _, player in ipairs(round.players) do
    end_runs(player)
  end
  local present, lines = players_present(), {}
  for _, award in ipairs(AWARDS) do
    lines[#lines + 1] = award_line(award, present)
  end
  for _, one in ipairs(present) do
    add_duels(lines, one, present)
  end
  return #lines > 0 and table.concat(lines, "\n") .. "\n" or nil
end

local function save()
  round.saved = true
  local news = "nothing to tell of this round"
  if round.text then
    local map = round.map ~= "" and round.map or "unknown"
    local stem = os.date("%Y-%m-%d-%H%M%S-") .. map .. "-round-" .. whole(round.number)
    local name = FOLDER .. stem .. "-endstats.txt"
    news = (write_whole_file(name, round.text) and "wrote " or "CAN'T WRITE ") .. name
  end
  log(news)
  et.trap_Cvar_Set("slomix_endstats", VERSION .. ", " .. news)
  if round.number == 1 then
    write_whole_file(CARRIED, carried_text(round.players, round.to_beat))
  end
end

------------------------------------------------------------------------------------------------------------------------
-- Callbacks. None returns anything: most engines take a value as "handled" and keep the event from later modules.

local function playing_on()
  return round ~= nil and not round.over_at
end

local function settle_exit(level)
  if round.exit_level and level - round.exit_level > EXIT_TO_INTERMISSION then
    round.exit_level = nil
  end
end

local function end_round(level)
  round.over_at = level
  round.text = describe()
  round.to_beat = cvar_number("g_nextTimeLimit") or 0
end

-- Once per Lua state. A module loaded in the middle of a map gets no et_InitGame, only frames.
local function wake()
  awake = true
  log("version " .. VERSION .. ", endstats files in " .. FOLDER)
  if et.trap_Cvar_Get("slomix_endstats") == "" then
    et.trap_Cvar_Set("slomix_endstats", VERSION .. ", no round written yet")
  end
  if not map_load_seen then
    log("loaded in the middle of a map: nothing is written before the next one")
  end
end

function et_InitGame(level)
  et.RegisterModname("slomix_endstats " .. VERSION)
  map_load_seen = true
  wake()
  if cvar_number("gamestate") == PLAYING then
    begin_round(level)
  end
end

function et_RunFrame(level)
  if not awake then
    wake()
  end
  local state = cvar_number("gamestate")
  if state == PLAYING and not round and map_load_seen then
    begin_round(level)
  end
  if playing_on() and state == INTERMISSION then
    end_round(level)
  elseif playing_on() then
    settle_exit(level)
    settle_spawns()
    count_frame(level)
    note_head_hits()
    if level >= round.next_store then
      round.next_store = level + STORED_EVERY
      store_all()
    end
  end
  if round and not round.saved and round.over_at and level >= round.over_at + SAVED_AFTER then
    save()
  end
end

-- A round whose end the engine has told is whole, even when no frame of its intermission was seen; others have no awards.
function et_ShutdownGame()
  if round and playing_on() and round.exit_level then
    end_round(round.last_level)
  end
  if round and round.over_at and not round.saved then
    save()
  end
  round = nil
end

-- All that a lua_restart tells: in an intermission the file of the round is still to be written.
function et_Quit()
  et_ShutdownGame()
end

function et_Print(text)
  if not playing_on() then
    return
  elseif text:match("^Exit: ") then
    round.exit_level = round.exit_level or round.last_level
  else
    note_print(text)
  end
end

-- Whoever had the slot before is gone, even when the engine did not tell.
function et_ClientConnect(slot)
  if playing_on() then
    note_gone(slot)
  end
end

function et_ClientBegin(slot)
  if playing_on() and player_at(slot) then
    round.heads[slot] = round.heads[slot] or head_hits(slot)
  end
end

function et_ClientDisconnect(slot)
  if playing_on() and round.by_slot[slot] then
    store(slot, round.by_slot[slot])
    note_gone(slot)
  end
end

function et_ClientSpawn(slot)
  if playing_on() then
    round.spawned[slot] = true
  end
end

function et_Damage(target, attacker, damage, _, mod)
  if playing_on() then
    note_hit(target, attacker, damage, mod)
  end
end

function et_Obituary(victim, killer, mod)
  if playing_on() then
    note_death(victim, killer, mod)
  end
end
