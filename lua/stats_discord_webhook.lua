--[[
stats_discord_webhook.lua: the timing record of every round, for slomix_pipeline.

What it does
  At the end of a round it writes gametimes/gametime-<map>-R<n>-<end unix>.json: when the round began and ended, how
  long was played without pauses, every pause, why it ended in the engine's own words, who stood on which side, how
  often each player spawned and died and how long he was dead. A round that is restarted or left by a map change is
  written too and marked as aborted. Then, only if a webhook is configured, it announces the round there, in the
  background: the file is complete before, whatever becomes of the announcement.

Install
  Put this file and slomix_config.lua (copy slomix_config.lua.example) into the same folder of the mod, name this file
  in the cvar lua_modules, load a map. See README.md beside this file.

Options
  All in slomix_config.lua, which is explained in slomix_config.lua.example. Without it records are written all the
  same; they then name no server and nothing is announced.

How to see that it is alive
  The line "slomix_timing: version ..." at every map load, and the cvar slomix_timing (rcon slomix_timing).

Runs under Lua 5.3, 5.4 and LuaJIT. The engine ends this Lua state and starts a new one at every map load and every
map_restart; what has to outlive that is kept in cvars and in the spool.
]]

local VERSION = "2.1.0"
local SCHEMA = "slomix.timing/1"

local RECORDS = "gametimes/"
local SPOOL = "slomix_spool/"
local CONFIG = "slomix_config.lua"

-- Engine constants by name; the numbers are for engines that do not export the name.
local PLAYING = et.GS_PLAYING or 0
local INTERMISSION = et.GS_INTERMISSION or 3
local AXIS = et.TEAM_AXIS or 1
local ALLIES = et.TEAM_ALLIES or 2
local CONNECTED = et.CON_CONNECTED or 2
local READ = et.FS_READ or 0
local WRITE = et.FS_WRITE or 1
local CS_VOTE_TIME = et.CS_VOTE_TIME or 6
local CS_MULTI_INFO = et.CS_MULTI_INFO or 13
local CS_MULTI_MAPWINNER = et.CS_MULTI_MAPWINNER or 14
local CS_SERVERTOGGLES = et.CS_SERVERTOGGLES or 32
local PAUSED = et.CV_SVS_PAUSE or 16 -- of CS_SERVERTOGGLES
local IN_LIMBO = 16384 -- of ps.pm_flags

local SHORTEST_GUID = 8 -- characters: what stats files show of one
local EXIT_TO_INTERMISSION = 2000 -- ms; an "Exit:" line that no intermission follows by then was none

local options -- from the config file
local round -- the round being played, nil before it starts
local map_load_seen = false -- et_InitGame was called in this Lua state
local fresh_map = false -- and it was a map load, no map_restart

------------------------------------------------------------------------------------------------------------------------
-- Engine values

local function log(text)
  et.G_LogPrint("slomix_timing: " .. text .. "\n")
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

local function rounded(number)
  return math.floor(number + 0.5)
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

local function gamestate()
  return number_of(et.trap_Cvar_Get("gamestate"))
end

local function map_name()
  return tostring(et.trap_Cvar_Get("mapname"))
end

-- A field of a client; nil where the engine refuses.
local function client(slot, field)
  local fine, value = pcall(et.gentity_get, slot, field)
  return fine and value or nil
end

local function side_of(slot)
  local team = client(slot, "sess.sessionTeam")
  return (team == AXIS or team == ALLIES) and team or nil
end

-- The client's name without colour codes.
local function name_of(slot)
  local name = tostring(client(slot, "pers.netname") or "")
  return (name:gsub("%^([^%^])", function(code)
    local byte = code:byte()
    return byte > 32 and byte < 127 and "" or nil
  end))
end

-- The GUID; "" for who has none: such a client sends nothing, "unknown" or "NO_GUID".
local function guid_of(slot)
  local guid = tostring(et.Info_ValueForKey(et.trap_GetUserinfo(slot), "cl_guid") or ""):upper()
  return #guid >= SHORTEST_GUID and guid or ""
end

-- A side in a config string: the engine has -1 nobody, 0 Axis, 1 Allies; records have 0, 1, 2. nil if it isn't there.
local function side_in_configstring(index, key)
  local side = number_of(et.Info_ValueForKey(et.trap_GetConfigstring(index), key))
  return side and side >= -1 and side <= 1 and side + 1 or nil
end

local function vote_running()
  local since = et.trap_GetConfigstring(CS_VOTE_TIME)
  return since ~= "" and since ~= "0"
end

local function is_paused()
  return has_bit(number_of(et.trap_GetConfigstring(CS_SERVERTOGGLES)), PAUSED)
end

------------------------------------------------------------------------------------------------------------------------
-- JSON

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

-- Pieces of text that stand in JSON as they are: visible ASCII and whole UTF-8 characters.
local PLAIN = {
  '^[^%c"\\\127-\255]+',
  "^[\194-\223][\128-\191]",
  "^\224[\160-\191][\128-\191]",
  "^[\225-\236\238\239][\128-\191][\128-\191]",
  "^\237[\128-\159][\128-\191]",
  "^\240[\144-\191][\128-\191][\128-\191]",
  "^[\241-\243][\128-\191][\128-\191][\128-\191]",
  "^\244[\128-\143][\128-\191][\128-\191]",
}

local function plain_piece(text, from)
  for _, pattern in ipairs(PLAIN) do
    local piece = text:match(pattern, from)
    if piece then
      return piece
    end
  end
  return nil
end

-- Control bytes are escaped; bytes that are no UTF-8 are read as Latin-1.
local function json_string(text)
  local out, at = {}, 1
  while at <= #text do
    local piece = plain_piece(text, at)
    local byte = text:sub(at, at)
    out[#out + 1] = piece or ESCAPES[byte] or string.format("\\u%04x", byte:byte())
    at = at + #(piece or byte)
  end
  return '"' .. table.concat(out) .. '"'
end

-- nil, booleans, text, and numbers, which are whole ones in a record.
local function json(value)
  if type(value) == "number" then
    return whole(value)
  end
  return type(value) == "string" and json_string(value) or value == nil and "null" or tostring(value)
end

-- Of {"key", json, "key", json, ...}, in this order.
local function json_object(members)
  local out = {}
  for i = 1, #members, 2 do
    out[#out + 1] = json_string(members[i]) .. ":" .. members[i + 1]
  end
  return "{" .. table.concat(out, ",") .. "}"
end

local function json_array(values, to_json)
  local out = {}
  for i, value in ipairs(values) do
    out[i] = to_json(value, i)
  end
  return "[" .. table.concat(out, ",") .. "]"
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
-- Options

local DEFAULTS = {
  server_id = "",
  webhook_url = "",
  webhook_spool_cap = 20,
  webhook_retry_seconds = 60,
  webhook_timeout_seconds = 20,
}

local function config_path()
  local script = debug.getinfo(1, "S").source
  return (script:match("^@?(.*[/\\])") or "") .. CONFIG
end

-- The table a config file returns, or nil and why. Messages of Lua are not passed on: they quote the file.
local function run_config(text)
  local chunk, problem = load(text, "=config", "t", {})
  local fine, values = false, problem
  if chunk then
    fine, values = pcall(chunk)
  end
  if not fine then
    local line = tostring(values):match(":(%d+):")
    return nil, CONFIG .. " is broken" .. (line and " near line " .. line or "")
  end
  if type(values) ~= "table" then
    return nil, CONFIG .. " returns no table"
  end
  return values
end

local function check_option(name, value)
  if DEFAULTS[name] == nil then
    return "unknown option " .. tostring(name)
  elseif type(value) ~= type(DEFAULTS[name]) then
    return name .. " must be a " .. type(DEFAULTS[name])
  elseif type(value) == "number" and not (value >= 1 and value <= 1e6) then
    return name .. " must be between 1 and 1000000"
  elseif name == "webhook_url" and not value:match("^https?://[%w%-._~:/?=&%%]+$") and value ~= "" then
    return name .. " is no address" -- and could not stand in a file for curl
  end
  return nil
end

-- The options, defaults where one is missing or wrong, and a list of what is wrong.
local function read_options()
  local found, problems = {}, {}
  for name, value in pairs(DEFAULTS) do
    found[name] = value
  end
  local text = read_file(config_path())
  if not text then
    return found, { "no " .. config_path() }
  end
  local values, problem = run_config(text)
  for name, value in pairs(values or {}) do
    local wrong = check_option(name, value)
    if wrong then
      problems[#problems + 1] = CONFIG .. ": " .. wrong
    else
      found[name] = value
    end
  end
  problems[#problems + 1] = problem
  table.sort(problems)
  return found, problems
end

------------------------------------------------------------------------------------------------------------------------
-- Announcing rounds: a queue of spool files, one curl at a time, started only while nobody plays
--
-- slomix_spool/queue.txt has a line per announcement: name, attempts so far, unix time of the next attempt, unix time
-- at which the attempt under way was started (0: none). A finished curl leaves its exit code in <name>.exit.

local queue = {}
local next_look = 0 -- level time

local MAX_ATTEMPTS = 10
local GRACE = 15 -- s beyond curl's own limit before an attempt counts as lost

local function save_queue()
  local lines = {}
  for i, item in ipairs(queue) do
    lines[i] = table.concat({ item.name, whole(item.attempts), whole(item.due), whole(item.started) }, " ") .. "\n"
  end
  write_whole_file(SPOOL .. "queue.txt", table.concat(lines))
end

local function load_queue()
  queue = {}
  for line in (read_file(SPOOL .. "queue.txt") or ""):gmatch("[^\n]+") do
    local name, attempts, due, started = line:match("^([%w_-]+) (%d+) (%d+) (%d+)$")
    if name then
      queue[#queue + 1] =
        { name = name, attempts = tonumber(attempts), due = tonumber(due), started = tonumber(started) }
    end
  end
end

local function drop(position)
  local item = table.remove(queue, position)
  os.remove(os_path(SPOOL .. item.name .. ".json"))
  os.remove(os_path(SPOOL .. item.name .. ".exit"))
end

local function announce(name, body)
  if options.webhook_url == "" then
    return
  end
  while #queue >= options.webhook_spool_cap do
    log("webhook: the spool is full, dropped " .. queue[1].name)
    drop(1)
  end
  if not write_file(SPOOL .. name .. ".json", body) then
    log("webhook: can't write " .. SPOOL .. name .. ".json, not announced")
    return
  end
  queue[#queue + 1] = { name = name, attempts = 0, due = os.time(), started = 0 }
  save_queue()
end

local function shell_quoted(path)
  return "'" .. path:gsub("'", "'\\''") .. "'"
end

-- Starts curl in the background. The address stands in a file: a command line can be seen by everyone on the machine.
local function start_delivery(item)
  local settings = {
    "silent",
    "fail",
    "connect-timeout = 5",
    "max-time = " .. whole(options.webhook_timeout_seconds),
    'header = "Content-Type: application/json"',
    'url = "' .. options.webhook_url .. '"',
  }
  write_file(SPOOL .. "curl.txt", table.concat(settings, "\n") .. "\n")
  local result = os_path(SPOOL .. item.name .. ".exit")
  os.remove(result)
  item.started = os.time()
  save_queue()
  os.execute(
    string.format(
      "(curl --config %s --data-binary @%s </dev/null >/dev/null 2>&1; echo $? >%s) </dev/null >/dev/null 2>&1 &",
      shell_quoted(os_path(SPOOL .. "curl.txt")),
      shell_quoted(os_path(SPOOL .. item.name .. ".json")),
      shell_quoted(result)
    )
  )
end

-- After a failed attempt: tried again later, each time after a longer wait.
local function delivery_failed(item, why)
  item.attempts, item.started = item.attempts + 1, 0
  if item.attempts >= MAX_ATTEMPTS then
    log("webhook: gave up " .. item.name .. ": " .. why)
    drop(1)
  else
    local wait = options.webhook_retry_seconds * item.attempts
    log("webhook: " .. item.name .. ": " .. why .. ", next attempt in " .. whole(wait) .. " s")
    item.due = os.time() + wait
  end
  save_queue()
end

local function look_at_delivery(item)
  local code = (read_file(SPOOL .. item.name .. ".exit") or ""):match("^(%d+)")
  if code == "0" then
    log("webhook: announced " .. item.name)
    drop(1)
    save_queue()
  elseif code then
    delivery_failed(item, "curl ended with exit code " .. code)
  elseif os.time() - item.started > options.webhook_timeout_seconds + GRACE then
    delivery_failed(item, "curl never ended")
  end
end

-- The oldest announcement goes first.
local function look_at_queue()
  local item = queue[1]
  if not item or options.webhook_url == "" then
    return
  elseif item.started > 0 then
    look_at_delivery(item)
  elseif os.time() >= item.due then
    start_delivery(item)
  end
end

-- Whatever goes wrong with announcements stays here.
local function announcing(what, ...)
  local fine, problem = pcall(what, ...)
  if not fine then
    log("webhook: " .. tostring(problem))
  end
end

------------------------------------------------------------------------------------------------------------------------
-- What outlives a map_restart: a number about this map, in a cvar "<number> <map>"

local function remember(cvar, number)
  et.trap_Cvar_Set(cvar, number and whole(number) .. " " .. map_name() or "")
end

local function remembered(cvar)
  local number, map = et.trap_Cvar_Get(cvar):match("^(%d+) (.*)$")
  return map == map_name() and tonumber(number) or nil
end

local WARMUP_CVAR = "slomix_timing_warmup" -- since when, unix

local function restarts_cvar(number)
  return "slomix_timing_restarts" .. whole(number)
end

local function note_warmup()
  if not remembered(WARMUP_CVAR) then
    remember(WARMUP_CVAR, os.time())
  end
end

-- Since when the warm-up lasted: a map that starts without one has none; nil if it began unseen.
local function warmup_start(round_start)
  return remembered(WARMUP_CVAR) or fresh_map and round_start or nil
end

------------------------------------------------------------------------------------------------------------------------
-- The round and its clock. Level time runs on in pauses, so each frame counts as played or as paused.

local function begin_round(level)
  local number = number_of(et.trap_Cvar_Get("g_currentRound")) == 1 and 2 or 1
  local now = os.time()
  round = {
    map = map_name(),
    number = number, -- known now; when the round is over the engine counts on
    seen_from_start = map_load_seen,
    start_unix = now,
    start_level = level,
    last_level = level,
    warmup_start = warmup_start(now),
    restarts = remembered(restarts_cvar(number)) or 0,
    paused_ms = 0,
    pauses = {},
    players = {},
    by_slot = {},
    spawned = {}, -- slots whose spawn is not counted yet
  }
  remember(WARMUP_CVAR, nil)
end

local function played_ms()
  return round.last_level - round.start_level - round.paused_ms
end

local function count_frame(level)
  local passed = level - round.last_level
  round.last_level = level
  if not is_paused() then
    round.pause = nil
    return
  end
  if not round.pause then
    round.pause = { start = os.time(), ms = 0 }
    table.insert(round.pauses, round.pause)
  end
  round.pause.finish = os.time()
  round.pause.ms = round.pause.ms + passed
  round.paused_ms = round.paused_ms + passed
end

------------------------------------------------------------------------------------------------------------------------
-- Players: one entry per person, kept when he leaves and taken up again when he is back

local function absent_player(guid)
  for _, player in ipairs(round.players) do
    if not player.present and player.guid == guid and guid ~= "" then
      return player
    end
  end
  return nil
end

local function new_player(guid)
  local player = { guid = guid, spawns = 0, deaths = 0, dead_ms = 0, respawns = 0, respawn_ms = 0, longest_ms = 0 }
  table.insert(round.players, player)
  return player
end

local function player_at(slot)
  local player = round.by_slot[slot]
  if not player then
    local guid = guid_of(slot)
    player = absent_player(guid) or new_player(guid)
    player.present = true
    round.by_slot[slot] = player
  end
  player.name = name_of(slot)
  player.side = side_of(slot) or player.side
  return player
end

-- Ends the time a player is dead. ``back``: because he plays again.
local function end_death(player, back)
  if not player.dead_since then
    return
  end
  local dead = played_ms() - player.dead_since
  player.dead_since = nil
  player.dead_ms = player.dead_ms + dead
  if back then
    player.respawns = player.respawns + 1
    player.respawn_ms = player.respawn_ms + dead
    player.longest_ms = math.max(player.longest_ms, dead)
  end
end

-- Counts the spawns since the last frame. Who changed sides is put into limbo first: that is no spawn yet.
local function settle_spawns()
  for _, slot in ipairs(sorted_keys(round.spawned)) do
    local player, side = player_at(slot), side_of(slot)
    if not side then
      end_death(player, false)
    elseif not has_bit(client(slot, "ps.pm_flags"), IN_LIMBO) then
      player.spawns = player.spawns + 1
      end_death(player, true)
    end
  end
  round.spawned = {}
end

local function note_death(slot)
  settle_spawns()
  local player = player_at(slot)
  player.deaths = player.deaths + 1
  player.dead_since = player.dead_since or played_ms()
end

local function note_gone(slot)
  round.spawned[slot] = nil
  local player = round.by_slot[slot]
  if player then
    end_death(player, false)
    player.present = nil
    round.by_slot[slot] = nil
  end
end

-- Who stands on a side now, in the order of slots.
local function roster(side)
  local found = {}
  for slot = 0, (number_of(et.trap_Cvar_Get("sv_maxclients")) or 64) - 1 do
    if client(slot, "pers.connected") == CONNECTED and side_of(slot) == side then
      found[#found + 1] = player_at(slot)
    end
  end
  return found
end

------------------------------------------------------------------------------------------------------------------------
-- Why a round ends

local SURRENDERED = { ["Axis Surrender"] = AXIS, ["Allies Surrender"] = ALLIES }
local REASONS = { ["Timelimit hit."] = "time_expired", ["Wolf EndRound."] = "objective" }

-- A vote counts as called when it is under way a frame later: the engine refuses many.
local function note_vote(slot)
  if not vote_running() then
    round.asked_for_vote = { guid = guid_of(slot), name = name_of(slot), side = side_of(slot) }
  end
end

local function settle_vote()
  if round.asked_for_vote and vote_running() then
    round.called_vote = round.asked_for_vote
  end
  round.asked_for_vote = nil
end

-- Who asked his side to give up; a vote that passes at once is over before a frame shows it under way.
local function surrender_caller(side)
  for _, caller in ipairs({ round.asked_for_vote or false, round.called_vote or false }) do
    if caller and caller.side == side then
      return caller
    end
  end
  return nil
end

-- The engine may say more than once that a round is over: the first word stands, with its winner.
local function note_exit(text)
  if round.exit then
    return
  end
  local side = SURRENDERED[text]
  round.exit = {
    text = text,
    reason = side and "surrender" or REASONS[text] or text:match("team eliminated") and "eliminated" or nil,
    surrendered = side or 0,
    caller = side and surrender_caller(side) or nil,
    winner = side_in_configstring(CS_MULTI_MAPWINNER, "w"),
    unix = os.time(),
  }
end

-- The exit's place on the round's clock is the frame in which the engine printed it.
local function settle_exit(level)
  local exit = round.exit
  if exit and not exit.level then
    count_frame(level)
    exit.level, exit.played_ms = level, played_ms()
  elseif exit and level - exit.level > EXIT_TO_INTERMISSION then
    round.exit = nil
  end
end

------------------------------------------------------------------------------------------------------------------------
-- The record

local function seconds(ms)
  return math.floor(ms / 1000)
end

-- All that is said about the round. What is not known is nil. ``aborted_by``: what ended it before its time.
local function describe(aborted_by)
  settle_spawns()
  local exit = round.exit or {}
  local seen = round.seen_from_start
  local limit = number_of(et.trap_Cvar_Get("timelimit"))
  local axis, allies = roster(AXIS), roster(ALLIES)
  for _, player in ipairs(round.players) do
    end_death(player, false)
  end
  return {
    round = round,
    axis = axis,
    allies = allies,
    start_unix = seen and round.start_unix or nil,
    end_unix = exit.unix or os.time(),
    played = seen and rounded((exit.played_ms or played_ms()) / 1000) or nil,
    limit_minutes = limit,
    warmup_start = seen and round.warmup_start or nil,
    warmup = seen and round.warmup_start and math.max(0, round.start_unix - round.warmup_start) or nil,
    paused = seen and rounded(round.paused_ms / 1000) or nil,
    pauses = seen and round.pauses or {},
    winner = not aborted_by and (exit.winner or side_in_configstring(CS_MULTI_MAPWINNER, "w")) or nil, -- maps preset it
    defender = side_in_configstring(CS_MULTI_INFO, "d"),
    aborted = aborted_by ~= nil,
    reason = aborted_by or exit.reason,
    exit_text = exit.text,
    surrendered = exit.surrendered or aborted_by and 0 or nil,
    caller = exit.caller,
    players = seen and round.players or {},
  }
end

local function person_json(player)
  return json_object({ "guid", json(player.guid), "name", json(player.name) })
end

local function pause_json(pause, n)
  return json_object({
    "n", json(n), "start", json(pause.start), "end", json(pause.finish), "sec", json(rounded(pause.ms / 1000)),
  })
end

local function played_at_all(players)
  local found = {}
  for _, player in ipairs(players) do
    if player.spawns + player.deaths > 0 then
      found[#found + 1] = player
    end
  end
  return found
end

local function player_json(player)
  return json_object({
    "guid", json(player.guid),
    "name", json(player.name),
    "side", json(player.side),
    "spawns", json(player.spawns),
    "deaths", json(player.deaths),
    "dead_seconds", json(seconds(player.dead_ms)),
    "avg_respawn", json(seconds(player.respawn_ms / math.max(1, player.respawns))),
    "max_respawn", json(seconds(player.longest_ms)),
  })
end

local function meta_json(record)
  return json_object({
    "schema", json(SCHEMA),
    "script_version", json(VERSION),
    "server_id", json(options.server_id ~= "" and options.server_id or nil),
    "map", json(record.round.map),
    "round", json(record.round.number),
    "round_start_unix", json(record.start_unix),
    "round_end_unix", json(record.end_unix),
    "actual_duration_seconds", json(record.played),
    "limit_seconds", json(record.limit_minutes and rounded(record.limit_minutes * 60)),
    "warmup_seconds", json(record.warmup),
    "pause_seconds", json(record.paused),
    "pause_count", json(record.paused and #record.pauses),
    "pauses", json_array(record.pauses, pause_json),
    "winner", json(record.winner),
    "defender", json(record.defender),
    "aborted", json(record.aborted),
    "restarts", json(record.round.restarts),
    "end_reason", json(record.reason),
    "exit_print", json(record.exit_text),
    "surrender_team", json(record.surrendered),
    "surrender_caller", record.caller and person_json(record.caller) or "null",
    "server_ip", json(et.trap_Cvar_Get("net_ip")),
    "server_port", json(et.trap_Cvar_Get("net_port")),
    "server_name", json(et.trap_Cvar_Get("sv_hostname")),
    "match_id", json(whole(record.end_unix)),
    "axis", json_array(record.axis, person_json),
    "allies", json_array(record.allies, person_json),
    "spawn_stats", json_array(played_at_all(record.players), player_json),
  })
end

local function shown(number, unit)
  return number and whole(number) .. (unit or "") or "unknown"
end

local function minutes_shown(minutes)
  if not minutes then
    return "unknown"
  end
  return (string.format("%.3f", minutes):gsub("0+$", ""):gsub("%.$", "")) .. " min"
end

local function spawn_summary(players)
  local spawns, respawns, ms, longest = 0, 0, 0, 0
  for _, player in ipairs(players) do
    spawns, respawns, ms = spawns + player.spawns, respawns + player.respawns, ms + player.respawn_ms
    longest = math.max(longest, player.longest_ms)
  end
  return string.format(
    "Players:%s | Spawns:%s | AvgRespawn:%ss | MaxRespawn:%ss",
    whole(#players), whole(spawns), whole(seconds(ms / math.max(1, respawns))), whole(seconds(longest))
  )
end

-- The fields of the announcement as its readers know them, all text: {name, value}.
local function announcement_fields(record)
  local winner = record.winner or 0
  local caller = record.caller or { guid = "", name = "" }
  local start = shown(record.start_unix)
  return {
    { "Map", record.round.map },
    { "Round", whole(record.round.number) },
    { "Winner", whole(winner) },
    { "Defender", whole(record.defender or 0) },
    { "Lua_Playtime", shown(record.played, " sec") },
    { "Lua_Timelimit", minutes_shown(record.limit_minutes) },
    { "Lua_Pauses", record.paused and whole(#record.pauses) .. " (" .. whole(record.paused) .. " sec)" or "unknown" },
    { "Lua_EndReason", record.reason or "unknown" },
    { "Lua_Warmup", shown(record.warmup, " sec") },
    { "Lua_WarmupStart", record.warmup_start and whole(record.warmup_start) or start },
    { "Lua_RoundStart", start },
    { "Lua_RoundEnd", whole(record.end_unix) },
    { "Lua_SurrenderTeam", shown(record.surrendered) },
    { "Lua_SurrenderCaller", caller.guid },
    { "Lua_SurrenderCallerName", caller.name },
    { "Lua_AxisScore", winner == AXIS and "1" or "0" },
    { "Lua_AlliesScore", winner == ALLIES and "1" or "0" },
    { "Axis_JSON", json_array(record.axis, person_json) },
    { "Allies_JSON", json_array(record.allies, person_json) },
    { "Lua_Pauses_JSON", json_array(record.pauses, pause_json) },
    { "Lua_SpawnSummary", spawn_summary(played_at_all(record.players)) },
  }
end

local function field_json(field)
  local inline = not (field[1]:match("_JSON$") or field[1] == "Lua_SpawnSummary")
  return json_object({ "name", json(field[1]), "value", json(field[2]), "inline", json(inline) })
end

local function payload_json(record, fields)
  local outcome = record.aborted and "Round Aborted: " or "Round Complete: "
  local told = record.aborted and "It did not come to its end and does not count" or "Timing of the round"
  local embed = json_object({
    "title", json(outcome .. record.round.map .. " R" .. whole(record.round.number)),
    "description", json(told .. "; the record holds all of it"),
    "color", json(3447003),
    "fields", json_array(fields, field_json),
    "footer", json_object({ "text", json("Slomix Lua Webhook v" .. VERSION) }),
  })
  return json_object({
    "username", json("ET:Legacy Stats"), "content", json("STATS_READY"), "embeds", "[" .. embed .. "]",
  })
end

-- Discord refuses a message with an empty value or one above 1024 characters; the record has them all.
local function postable(fields)
  local found = {}
  for _, field in ipairs(fields) do
    if field[2] ~= "" and #field[2] <= 1024 then
      found[#found + 1] = field
    end
  end
  return found
end

local function finish_round(aborted_by)
  local record = describe(aborted_by)
  local number = whole(record.round.number)
  local name = "gametime-" .. record.round.map:gsub("[^%w_-]", "_") .. "-R" .. number .. "-" .. whole(record.end_unix)
  local fields = announcement_fields(record)
  local text = json_object({ "meta", meta_json(record), "payload", payload_json(record, fields) })
  local path = RECORDS .. name .. ".json"
  local news = (write_whole_file(path, text) and "wrote " or "CAN'T WRITE ") .. path
  log(news)
  et.trap_Cvar_Set("slomix_timing", VERSION .. ", " .. news)
  remember(restarts_cvar(record.round.number), aborted_by == "map_restart" and record.round.restarts + 1 or nil)
  round.written = true
  announcing(announce, name, payload_json(record, postable(fields)))
end

------------------------------------------------------------------------------------------------------------------------
-- Callbacks. None returns anything: most engines take a value as "handled" and keep the event from later modules.

local function unfinished()
  return round ~= nil and not round.written
end

local function playing_on()
  return unfinished() and not round.exit
end

-- Once per Lua state. A module loaded in the middle of a map gets no et_InitGame, only frames.
local function wake()
  local problems
  options, problems = read_options()
  load_queue()
  local webhook = options.webhook_url ~= "" and "on" or "off"
  local server = options.server_id ~= "" and options.server_id or "(no server_id)"
  log("version " .. VERSION .. ", server " .. server .. ", records in " .. RECORDS .. ", webhook " .. webhook)
  for _, problem in ipairs(problems) do
    log(problem)
  end
  if et.trap_Cvar_Get("slomix_timing") == "" then
    et.trap_Cvar_Set("slomix_timing", VERSION .. ", no round written yet")
  end
end

function et_InitGame(level, _, restart)
  et.RegisterModname("slomix_timing " .. VERSION)
  map_load_seen, fresh_map = true, restart == 0
  wake()
  if fresh_map then
    for _, cvar in ipairs({ WARMUP_CVAR, restarts_cvar(1), restarts_cvar(2) }) do
      remember(cvar, nil)
    end
  end
  local state = gamestate()
  if state == PLAYING then
    begin_round(level)
  elseif state ~= INTERMISSION then
    note_warmup()
  end
end

function et_RunFrame(level)
  if not options then
    wake()
  end
  local state = gamestate()
  if state == PLAYING and not round then
    begin_round(level)
  end
  if unfinished() then
    settle_exit(level)
    if state == INTERMISSION then
      finish_round()
    elseif playing_on() then
      settle_spawns()
      count_frame(level)
      settle_vote()
    end
  end
  if state ~= PLAYING and level >= next_look then
    next_look = level + 1000
    announcing(look_at_queue)
  end
end

function et_ShutdownGame(restart)
  if unfinished() then
    local aborted_by = restart == 1 and "map_restart" or "map_change"
    finish_round(not round.exit and aborted_by or nil)
  end
end

function et_Print(text)
  local exit = unfinished() and text:match("^Exit: ([^\r\n]*)")
  if exit then
    note_exit(exit)
  end
end

function et_ClientConnect(slot)
  if playing_on() then
    note_gone(slot)
  end
end

function et_ClientDisconnect(slot)
  if playing_on() then
    settle_spawns()
    note_gone(slot)
  end
end

function et_ClientSpawn(slot)
  if playing_on() then
    round.spawned[slot] = true
  end
end

function et_Obituary(victim)
  if playing_on() then
    note_death(victim)
  end
end

function et_ClientCommand(slot, command)
  if playing_on() and command:lower() == "callvote" and et.trap_Argv(1):lower() == "surrender" then
    note_vote(slot)
  end
end
