--[[
gamestats.lua: the stats file of every round, for servers that have no other script that writes one.

What it does
  Three seconds after the end of a round it writes gamestats/<local time>-<map>-round-<n>.txt: a header, then a line
  per player with his weapons and 38 numbers, as c0rnp0rn8.lua does and every reader of its files expects. Over is what
  the engine's line "Exit: ..." ended. A round that a map change or the server's end cuts short is written at once, as
  cut short; a map_restart, also of a match that is reset, leaves nothing.

Install
  Put this file into the folder of the mod, name it in the cvar lua_modules, load a map. Never beside another script
  that writes stats files. See README.md beside this file, also for what it counts other than c0rnp0rn8.lua.

How to see that it is alive
  The line "slomix_gamestats: version ..." at every map load, and the cvar slomix_gamestats (rcon slomix_gamestats).

Runs under Lua 5.3, 5.4 and LuaJIT. The engine ends this Lua state and starts a new one at every map load and every
map_restart; what round 2 has to know of round 1 is kept in the spool.
]]

local VERSION = "1.1.0"

local FOLDER = "gamestats/"
local CARRIED = "slomix_spool/gamestats.txt"
local CARRIED_FOR = 3600 -- s; later round 2 begins anew, which readers take for what it is

-- Engine constants by name; the numbers are for engines that do not export the name.
local PLAYING = et.GS_PLAYING or 0
local INTERMISSION = et.GS_INTERMISSION or 3
local AXIS = et.TEAM_AXIS or 1
local ALLIES = et.TEAM_ALLIES or 2
local CONNECTED = et.CON_CONNECTED or 2
local READ = et.FS_READ or 0
local WRITE = et.FS_WRITE or 1
local CS_LEVEL_START_TIME = et.CS_LEVEL_START_TIME or 11
local CS_MULTI_INFO = et.CS_MULTI_INFO or 13
local CS_MULTI_MAPWINNER = et.CS_MULTI_MAPWINNER or 14
local CS_REINFSEEDS = et.CS_REINFSEEDS or 31
local CS_SERVERTOGGLES = et.CS_SERVERTOGGLES or 32
local PAUSED = et.CV_SVS_PAUSE or 16 -- of CS_SERVERTOGGLES
local IN_LIMBO = 16384 -- of ps.pm_flags
local MOD_SUICIDE = et.MOD_SUICIDE or 33

local EXPLOSIVES = {}
for name, number in pairs({
  MOD_GRENADE = 4, MOD_PANZERFAUST = 15, MOD_GRENADE_LAUNCHER = 16, MOD_GRENADE_PINEAPPLE = 18,
  MOD_MAPMORTAR = 19, MOD_MAPMORTAR_SPLASH = 20, MOD_DYNAMITE = 22, MOD_AIRSTRIKE = 23, MOD_ARTY = 26, MOD_GPG40 = 39, MOD_M7 = 40,
  MOD_LANDMINE = 41, MOD_SATCHEL = 42, MOD_MORTAR = 52, MOD_MORTAR2 = 63, MOD_BAZOOKA = 64,
}) do
  EXPLOSIVES[et[name] or number] = true
end

local SHORTEST_GUID = 8 -- characters: what stats files show of one
local LONGEST_NAME = 64 -- bytes; the engine ends them at 35
local SAVED_AFTER = 3000 -- ms of intermission
local EXIT_TO_INTERMISSION = 2000 -- ms; an "Exit:" line that no intermission follows by then was none
local STORED_EVERY = 5000 -- ms; what is lost of a player whose leaving the engine does not tell
local ASSIST_WITHIN = 1500 -- ms before the death
local CHAIN_WITHIN = 3000 -- ms from kill to kill of a multikill
local SPREE_FROM = 3
local TOUCHES_WITHIN = 1000 -- ms; the engine may tell of one pickup in several frames

local round -- the round being played, nil before it starts
local map_load_seen = false -- et_InitGame was called in this Lua state
local awake = false

------------------------------------------------------------------------------------------------------------------------
-- Engine values

local function log(text)
  et.G_LogPrint("slomix_gamestats: " .. text .. "\n")
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

-- Half up to one decimal.
local function tenths(number)
  return string.format("%.1f", math.floor(number * 10 + 0.5) / 10)
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

-- Text as it can stand in a field of the file: no backslash, no tab, no line end.
local function field_text(text)
  return (tostring(text):gsub("\\", "/"):gsub("[%c\127]", " "))
end

-- The GUID in letters and digits; "" for who has none: such a client sends nothing, "unknown" or "NO_GUID".
local function guid_of(slot)
  local guid = tostring(et.Info_ValueForKey(et.trap_GetUserinfo(slot), "cl_guid") or "")
  guid = guid:upper():gsub("[^%w]", "")
  return #guid >= SHORTEST_GUID and guid or ""
end

-- A side in a config string: the engine has -1 nobody, 0 Axis, 1 Allies; the file has 0, 1, 2. 0 if it isn't there.
local function side_in_configstring(index, key)
  local side = number_of(et.Info_ValueForKey(et.trap_GetConfigstring(index), key))
  return side and side >= -1 and side <= 1 and side + 1 or 0
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
-- What the engine counts. It may go on from round to round, begin anew or not, as it likes: only what is added between
-- a player's first moment in a round and his last is taken for the round's.

local SESSION = {
  "damage_given", "damage_received", "team_damage_given", "team_damage_received", "gibs", "self_kills", "team_kills",
  "team_gibs", "time_axis", "time_allies", "time_played",
}
local WEAPONS = 28
local COLUMNS = { 4, 1, 5, 2, 3 } -- hits, shots, kills, deaths, head hits: where sess.aWeaponStats has them
local SHOTS, KILLS, DEATHS = 2, 3, 4

local function weapon_key(weapon, column)
  return whole(weapon) .. ":" .. whole(column)
end

local KEYS = {} -- of all counters, in the order of the spool
for _, name in ipairs(SESSION) do
  KEYS[#KEYS + 1] = name
end
for weapon = 0, WEAPONS - 1 do
  for column = 1, #COLUMNS do
    KEYS[#KEYS + 1] = weapon_key(weapon, column)
  end
end

local function read_counters(slot)
  local found = { xp = client(slot, "ps.persistant", 0) or 0 }
  for _, name in ipairs(SESSION) do
    found[name] = client(slot, "sess." .. name) or 0
  end
  for weapon = 0, WEAPONS - 1 do
    local stats = client(slot, "sess.aWeaponStats", weapon) or {}
    for column, place in ipairs(COLUMNS) do
      found[weapon_key(weapon, column)] = stats[place] or 0
    end
  end
  return found
end

-- Over all weapons.
local function weapon_total(counters, column)
  local total = 0
  for weapon = 0, WEAPONS - 1 do
    total = total + counters[weapon_key(weapon, column)]
  end
  return total
end

local function team_ms(counters)
  return counters.time_axis + counters.time_allies
end

------------------------------------------------------------------------------------------------------------------------
-- What round 2 has to know of round 1: the engine's counters of everybody who was in its file. First line: unix time,
-- the time to beat, map; then per line a GUID and the counters in the order of KEYS.

local function carried_text(people, clock)
  local lines = { whole(os.time()) .. " " .. clock .. " " .. round.map }
  for _, person in ipairs(people) do
    local cells = { person.guid }
    for _, key in ipairs(KEYS) do
      cells[#cells + 1] = whole(person.total[key])
    end
    lines[#lines + 1] = person.guid ~= "" and table.concat(cells, " ") or nil -- else nobody knows him again
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

-- By GUID; nobody where the spool is not of the round 1 whose time is to beat now.
local function read_carried(clock)
  local found = {}
  local first, rest = (read_file(CARRIED) or ""):match("^([^\n]*)\n(.*)$")
  local unix, to_beat, map = (first or ""):match("^(%d+) (%S+) (.*)$")
  if map ~= round.map or to_beat ~= clock or math.abs(os.time() - tonumber(unix)) > CARRIED_FOR then
    return found
  end
  for guid, numbers in rest:gmatch("(%w+) ([^\n]*)\n") do
    found[guid] = numbers_in(numbers)
  end
  return found
end

------------------------------------------------------------------------------------------------------------------------
-- The round's clock. Level time runs on in pauses, so each frame counts as played or as paused.

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
-- Players: one entry per stay on the server; the stays of one person are added up when the file is written

local function new_stay(slot)
  local counters = read_counters(slot)
  local guid = guid_of(slot)
  local stay = {
    guid = guid,
    bot = guid:match("^OMNIBOT") ~= nil,
    before = counters,
    now = counters,
    counts = {},
    dead_ms = 0,
    denied_ms = 0,
    kill_run = 0,
    death_run = 0,
    chain = 0,
    hits = {}, -- that enemies landed on him lately
    touched = {}, -- when he last touched an objective, by colour
  }
  table.insert(round.stays, stay)
  round.by_slot[slot] = stay
  return stay
end

local function store(slot, stay)
  stay.now = read_counters(slot)
  stay.name = field_text(client(slot, "pers.netname") or ""):sub(1, LONGEST_NAME)
  stay.team = client(slot, "sess.sessionTeam") or 0
end

-- Reads all players' counters; whoever is not known yet begins here.
local function store_all()
  for slot = 0, (cvar_number("sv_maxclients") or 64) - 1 do
    if client(slot, "pers.connected") == CONNECTED then
      store(slot, round.by_slot[slot] or new_stay(slot))
    end
  end
end

local function add(stay, name, number)
  stay.counts[name] = (stay.counts[name] or 0) + (number or 1)
end

-- Keeps the longest run.
local function longest(stay, name, run)
  if run >= SPREE_FROM then
    stay.counts[name] = math.max(stay.counts[name] or 0, run)
  end
end

-- Kills, each soon after the one before, are counted once they are all there.
local function end_chain(stay)
  if stay.chain > 1 then
    add(stay, "multikills_" .. whole(math.min(stay.chain, 6)))
  end
  stay.chain = 0
end

-- Ends the time a player is dead; who killed him has kept him out for so long.
local function end_death(stay)
  if not stay.dead_since then
    return
  end
  local dead = played_ms() - stay.dead_since
  stay.dead_ms = stay.dead_ms + dead
  if stay.killer then
    stay.killer.denied_ms = stay.killer.denied_ms + dead
  end
  stay.dead_since, stay.killer = nil, nil
end

local function end_stay(stay)
  end_death(stay)
  end_chain(stay)
  longest(stay, "killing_spree", stay.kill_run)
  longest(stay, "death_spree", stay.death_run)
end

-- Notes who is back since the last frame. Who changed sides is put into limbo first: that is no spawn yet.
local function settle_spawns()
  for _, slot in ipairs(sorted_keys(round.spawned)) do
    local stay = round.by_slot[slot]
    if stay and not (side_of(slot) and has_bit(client(slot, "ps.pm_flags"), IN_LIMBO)) then
      end_death(stay)
    end
  end
  round.spawned = {}
end

local function note_gone(slot)
  local stay = round.by_slot[slot]
  if stay then
    end_stay(stay)
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
  local victim, shooter = round.by_slot[target], round.by_slot[attacker]
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

local function credit_kill(victim, killer, victim_side, mod)
  local explosive = EXPLOSIVES[mod] ~= nil
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
  local victim, killer = round.by_slot[slot], round.by_slot[killer_slot]
  if not victim then
    return
  end
  settle_spawns()
  local enemy = killer ~= nil and are_enemies(slot, killer_slot)
  if enemy then
    credit_kill(victim, killer, side_of(slot), mod)
  elseif killer == victim and mod == MOD_SUICIDE and side_of(slot) then
    local wait, interval = next_wave(side_of(slot))
    add(victim, "full_self_kills", wait and wait >= interval - 2000 and 1 or 0)
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
  local stay, side = round.by_slot[slot], side_of(slot)
  if not stay or not side then
    return
  end
  local touched = stay.touched[colour]
  stay.touched[colour] = round.last_level
  if not touched or round.last_level - touched > TOUCHES_WITHIN then
    local own = colour == (side == AXIS and "red" or "blue")
    add(stay, own and "objectives_returned" or "objectives_stolen")
  end
end

local DEEDS = {
  Dynamite_Plant = "dynamites_planted",
  Dynamite_Diffuse = "dynamites_defused",
  Repair = "repairs",
  Medic_Revive = "revives_given",
}

local function note_print(text)
  local word, rest = text:match("^([%a_]+): ([^\r\n]*)")
  local first, second = (rest or ""):match("^(%d+)%s*(%d*)")
  local stay = round.by_slot[tonumber(first)]
  if not stay then
    return
  end
  if DEEDS[word] then
    add(stay, DEEDS[word])
  elseif word == "Item" and rest:match("team_CTF_%a+flag") then
    note_objective(tonumber(first), rest:match("team_CTF_(%a+)flag"))
  end
  local revived = word == "Medic_Revive" and round.by_slot[tonumber(second)]
  if revived then
    add(revived, "times_revived")
  end
end

------------------------------------------------------------------------------------------------------------------------
-- The round

-- The engine's word that the round is over. It may say so more than once: the first one stands, with its winner.
local function note_exit()
  round.exit = round.exit or { level = round.last_level, winner = side_in_configstring(CS_MULTI_MAPWINNER, "w") }
end

local function settle_exit(level)
  if round.exit and level - round.exit.level > EXIT_TO_INTERMISSION then
    round.exit = nil
  end
end

-- "M:SS" of minutes as the engine has them, with six decimals.
local function clock_text(minutes)
  local seconds = math.floor(math.floor(minutes * 60000 + 0.5) / 1000)
  return whole(seconds / 60) .. ":" .. string.format("%02d", seconds % 60)
end

local function begin_round(level)
  local second = cvar_number("g_currentRound") == 1
  local map = field_text(et.trap_Cvar_Get("mapname"))
  round = {
    map = map ~= "" and map or "unknown",
    number = second and 2 or 1, -- known now; the engine counts on when the round is over, or back before it is left
    start_level = level,
    last_level = level,
    paused_ms = 0,
    next_store = level,
    stays = {},
    by_slot = {},
    spawned = {}, -- slots whose spawn is not settled yet
    heads = {}, -- head hits so far, by slot
  }
  round.carried = second and read_carried(clock_text(cvar_number("timelimit") or 0)) or {}
  store_all()
end

-- Everybody's numbers as they are at the end.
local function freeze()
  store_all()
  for _, stay in ipairs(round.stays) do
    end_stay(stay)
  end
end

local SPREES = { killing_spree = true, death_spree = true }

local function add_stay(person, stay)
  person.name, person.team = stay.name, stay.team
  person.dead_ms = person.dead_ms + stay.dead_ms
  person.denied_ms = person.denied_ms + stay.denied_ms
  for key, number in pairs(stay.now) do
    local own = number - stay.before[key]
    person.own[key] = (person.own[key] or 0) + own
    person.total[key] = (person.total[key] or 0) + own
  end
  for name, number in pairs(stay.counts) do
    local so_far = person.counts[name] or 0
    person.counts[name] = SPREES[name] and math.max(so_far, number) or so_far + number
  end
end

-- Everybody who was there, each once: ``own`` of this round, ``total`` of both.
local function people_of_round()
  local people, known = {}, {}
  for _, stay in ipairs(round.stays) do
    local key = stay.guid ~= "" and stay.guid or stay -- without one every stay is somebody of his own
    if stay.bot then
      key = stay.guid .. stay.name -- another bot may have the slot, and so the GUID
    end
    local person = known[key]
    if not person then
      local carried = not stay.bot and round.carried[stay.guid] or nil
      person = { guid = stay.guid, own = {}, total = carried or {}, counts = {}, dead_ms = 0, denied_ms = 0 }
      person.rounds = carried and 1 or 0
      known[key] = person
      people[#people + 1] = person
    end
    add_stay(person, stay)
  end
  return people
end

------------------------------------------------------------------------------------------------------------------------
-- The file

-- The mask and five numbers per weapon; nil for who never had to do with any.
local function weapons_text(counters)
  local mask, numbers = 0, {}
  for weapon = 0, WEAPONS - 1 do
    local row, used = {}, false
    for column = 1, #COLUMNS do
      local number = math.max(0, counters[weapon_key(weapon, column)])
      row[column] = whole(number)
      used = used or (number > 0 and column < #COLUMNS) -- head hits alone don't count
    end
    if used then
      mask = mask + 2 ^ weapon
      numbers[#numbers + 1] = table.concat(row, " ")
    end
  end
  return mask > 0 and whole(mask) .. " " .. table.concat(numbers, " ") .. " " or nil
end

local function ratio(number, of)
  return of > 0 and number / of or 0
end

-- How many times a life's health a player took per death; only what is remarkable.
local function tank_ratio(total, deaths)
  local times = ratio(total.damage_received, deaths) / 130
  return total.damage_received > 1000 and times > 3 and times or 0
end

local function tail_text(person)
  local own, total, counts = person.own, person.total, person.counts
  local kills, deaths = weapon_total(total, KILLS), weapon_total(total, DEATHS)
  local function n(number)
    return whole(math.max(0, number or 0))
  end
  return table.concat({
    n(total.damage_given), n(total.damage_received), n(total.team_damage_given), n(total.team_damage_received),
    n(total.gibs), n(total.self_kills), n(total.team_kills), n(total.team_gibs),
    tenths(100 * ratio(total.time_played, team_ms(total))),
    whole(own.xp),
    n(counts.killing_spree), n(counts.death_spree), n(counts.kill_assists), n(counts.kill_steals),
    n(counts.headshot_kills), n(counts.objectives_stolen), n(counts.objectives_returned),
    n(counts.dynamites_planted), n(counts.dynamites_defused), n(counts.times_revived),
    n(weapon_total(total, SHOTS)),
    tenths(60000 * ratio(own.damage_given, team_ms(own))),
    tenths(team_ms(total) / 60000),
    tenths(tank_ratio(total, deaths)),
    tenths(100 * ratio(person.dead_ms, team_ms(own))),
    tenths(person.dead_ms / 60000),
    tenths(deaths > 0 and kills / deaths or kills + 1),
    n(counts.useful_kills), n(person.denied_ms / 1000),
    n(counts.multikills_2), n(counts.multikills_3), n(counts.multikills_4), n(counts.multikills_5),
    n(counts.multikills_6),
    n(counts.useless_kills), n(counts.full_self_kills), n(counts.repairs), n(counts.revives_given),
  }, "\t")
end

local function player_line(person)
  local weapons = weapons_text(person.total)
  if not weapons then
    return nil
  end
  local fields = { person.guid:sub(1, SHORTEST_GUID), person.name, whole(person.rounds), whole(person.team), weapons }
  return table.concat(fields, "\\") .. "\t" .. tail_text(person)
end

-- The limit and the time the attack took, in minutes; of an attack that failed or was cut short the limit again.
local function times(winner, defender, aborted)
  local limit = cvar_number("timelimit") or 0
  local attack = cvar_number("g_nextTimeLimit") or 0
  if aborted or winner == defender then
    attack = limit
  elseif attack <= 0 then -- the engine forgets it when it leaves the map
    attack = played_ms() / 60000
  end
  return limit, attack
end

-- Also the time to beat. An aborted round has no winner, though maps preset one, and a play time of -1: by that the
-- pipeline knows that the number is the round's own.
local function header_line(aborted)
  local winner = aborted and 0 or round.exit and round.exit.winner or side_in_configstring(CS_MULTI_MAPWINNER, "w")
  local defender = side_in_configstring(CS_MULTI_INFO, "d")
  local limit, attack = times(winner, defender, aborted)
  local fields = {
    field_text(et.trap_Cvar_Get("sv_hostname")), round.map, field_text(et.trap_Cvar_Get("g_customConfig")),
    whole(round.number), whole(defender), whole(winner), clock_text(limit), clock_text(attack),
    aborted and "-1" or whole(played_ms()),
  }
  return table.concat(fields, "\\"), clock_text(attack)
end

local function file_name()
  local map = round.map:gsub("[^%w_.+-]", "_")
  return FOLDER .. os.date("%Y-%m-%d-%H%M%S-") .. map .. "-round-" .. whole(round.number) .. ".txt"
end

local function save(aborted)
  round.saved = true
  local header, clock = header_line(aborted)
  local lines, told = { header }, {}
  for _, person in ipairs(people_of_round()) do
    local line = player_line(person)
    if line then
      lines[#lines + 1], told[#told + 1] = line, person
    end
  end
  local news = "nobody played, nothing written"
  if #told > 0 then
    local name = file_name()
    news = (write_whole_file(name, table.concat(lines, "\n") .. "\n") and "wrote " or "CAN'T WRITE ") .. name
  end
  log(news)
  et.trap_Cvar_Set("slomix_gamestats", VERSION .. ", " .. news)
  if round.number == 1 and not aborted then
    write_whole_file(CARRIED, carried_text(told, clock))
  end
end

------------------------------------------------------------------------------------------------------------------------
-- Callbacks. None returns anything: most engines take a value as "handled" and keep the event from later modules.

local function playing_on()
  return round ~= nil and not round.over_at
end

local function end_round(level)
  round.over_at = level
  freeze()
end

-- Once per Lua state. A module loaded in the middle of a map gets no et_InitGame, only frames.
local function wake()
  awake = true
  log("version " .. VERSION .. ", stats files in " .. FOLDER)
  if et.trap_Cvar_Get("slomix_gamestats") == "" then
    et.trap_Cvar_Set("slomix_gamestats", VERSION .. ", no round written yet")
  end
  if not map_load_seen then
    log("loaded in the middle of a map: nothing is written before the next one")
  end
end

function et_InitGame(level)
  et.RegisterModname("slomix_gamestats " .. VERSION)
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
    save(false)
  end
end

-- A round whose end the engine has told is whole, even when no frame of its intermission was seen.
function et_ShutdownGame(restart)
  if round and not round.saved then
    local whole_round = round.over_at ~= nil or round.exit ~= nil
    if playing_on() then
      end_round(round.last_level)
    end
    if whole_round or restart == 0 then
      save(not whole_round)
    end
  end
  round = nil
end

-- All that a lua_restart tells: in an intermission the file of the round is still to be written.
function et_Quit()
  et_ShutdownGame(1)
end

function et_Print(text)
  if not playing_on() then
    return
  elseif text:match("^Exit: ") then
    note_exit()
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
  if playing_on() then
    store(slot, round.by_slot[slot] or new_stay(slot))
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
