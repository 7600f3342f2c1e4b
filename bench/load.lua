-- The requests of one question, for wrk: `wrk -s load.lua URL -- QUESTION FILE-OF-IDS [TOKEN]`.
-- Every request is written out before the load begins, so that wrk only walks a table. With keys it
-- also puts a new one into each, for a request that was sent before would be answered as a replay.

local question, requests, at
local threads = {}

local PLACE = "@" -- where the key goes, and stands for nothing else

local function posts(count, headers)
  local made = {}
  headers["Content-Type"] = "application/json"
  for i = 1, count do
    local body = '{"item":"espresso beans, 1 kg","quantity":' .. i .. "}"
    made[i] = wrk.format("POST", "/orders", headers, body)
  end
  return made
end

local function keyed(count, headers)
  local made = {}
  headers["Idempotency-Key"] = PLACE
  for i, text in ipairs(posts(count, headers)) do
    local before, after = text:match("^(.*)" .. PLACE .. "(.*)$")
    made[i] = { before, after }
  end
  return made
end

local function uuid() -- version 4, as clients make their keys
  local random = math.random
  return string.format(
    "%08x-%04x-4%03x-%04x-%06x%06x",
    random(0, 0xffffffff), random(0, 0xffff), random(0, 0xfff), random(0x8000, 0xbfff),
    random(0, 0xffffff), random(0, 0xffffff)
  )
end

local function seed() -- the clock would give the same keys to loads that begin together
  local file = assert(io.open("/dev/urandom", "rb"))
  local number = 0
  for _, byte in ipairs({ file:read(6):byte(1, 6) }) do
    number = number * 256 + byte
  end
  file:close()
  return number
end

local function gets(file, headers)
  local made = {}
  for id in io.lines(file) do
    made[#made + 1] = wrk.format("GET", "/orders/" .. id, headers)
  end
  return made
end

function setup(thread)
  threads[#threads + 1] = thread
end

local function guarded(token)
  local headers = {}
  if token ~= nil and token ~= "" then
    headers["Authorization"] = "Bearer " .. token
  end
  return headers
end

function init(args)
  question = args[1]
  local token = args[3]
  if question == "create" then
    requests = posts(1000, guarded(token))
  elseif question == "keyed" then
    requests = keyed(1000, guarded(token))
  elseif question == "read" then
    requests = gets(args[2], guarded(token))
  elseif question == "mix" then -- every fifth request is a POST
    requests = {}
    local post, get = posts(1000, guarded(token)), gets(args[2], guarded(token))
    for i = 1, #get do
      if i % 5 == 0 then
        requests[i] = post[i / 5 % #post + 1]
      else
        requests[i] = get[i]
      end
    end
  elseif question == "livez" then
    requests = { wrk.format("GET", "/livez") }
  else
    error("no such question: " .. tostring(question))
  end
  math.randomseed(seed())
  at = math.random(#requests)
  ready = os.clock() -- a global, which is what `done` can ask a thread for
end

function request()
  at = at % #requests + 1
  if question == "keyed" then
    return requests[at][1] .. uuid() .. requests[at][2]
  end
  return requests[at]
end

function done(summary, latency, _)
  local e = summary.errors
  io.write(string.format(
    '{"requests":%d,"errors":%d,"seconds":%.6f,"p50_ms":%.3f,"p99_ms":%.3f,'
      .. '"p999_ms":%.3f,"cpu_seconds":%.6f}\n',
    summary.requests,
    e.connect + e.read + e.write + e.status + e.timeout,
    summary.duration / 1e6,
    latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3,
    latency:percentile(99.9) / 1e3,
    os.clock() - threads[1]:get("ready")
  ))
end
