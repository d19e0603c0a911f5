/** The script that appends, and trims a little while it is at it. */
import { prelude } from './script-prelude'

/** How many appends the live stream keeps, roughly: a process that falls further behind reads the topics instead. */
const liveLength = 10_000
/** What a topic may have too many of before it is trimmed: Redis frees a hundred at once. */
const lingering = 100
/** How long a second try of an append may take to arrive. */
const tokenMs = 60_000
/** How many terms are kept whatever has become of their events. */
const keptTerms = 10_000

/**
 * ARGV: topic, now, maxAgeMs, maxCount, the append's token, idempotency key or nothing, its fingerprint; the process that appends, and
 * whether it has appended before; how far the log's clock may be ahead of its own, and whether its own is believed beyond that; type and data of each event. Adds all of the events or none: Redis decides before the first write whether it has memory for the script.
 */
export const appendScript = `${prelude}
local topic, now, maxAge, maxCount = ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local ownToken, idempotencyKey, fingerprint = ARGV[9], ARGV[10], ARGV[11]
local process, hasAppended = ARGV[12], ARGV[13] == 'yes'
local clockTolerance, isBelieved = tonumber(ARGV[14]), ARGV[15] == 'yes'
local key = keyOf(topic)
local tokenKey = '{sse}:a:' .. ownToken

local function forgetKeys(name, removedUpTo)
  local known = '{sse}:keys:' .. name
  for _, own in ipairs(redis.call('ZRANGEBYSCORE', known, '-inf', removedUpTo)) do
    redis.call('DEL', '{sse}:k:' .. name .. ':' .. own)
  end
  redis.call('ZREMRANGEBYSCORE', known, '-inf', removedUpTo)
end

local function noteFirst(name, removedUpTo)
  forgetKeys(name, removedUpTo)
  if removedUpTo > trimmed then
    trimmed = removedUpTo
    redis.call('HSET', stateKey, 'trimmed', digits(trimmed))
  end
  local first = firstAfter(keyOf(name), 0)
  if first then
    redis.call('HSET', trimmedOf, name, digits(removedUpTo))
    redis.call('ZADD', ages, timeOf(first), name)
    return
  end
  redis.call('DEL', keyOf(name))
  redis.call('HDEL', trimmedOf, name)
  redis.call('ZREM', ages, name)
  if removedUpTo > floor then
    floor = removedUpTo
    redis.call('HSET', stateKey, 'floor', digits(floor))
  end
end

local function remove(name, count)
  local left = redis.call('XLEN', keyOf(name)) - count
  -- In two steps, to learn which was the last without reading them all.
  redis.call('XTRIM', keyOf(name), 'MAXLEN', left + 1)
  local last = firstAfter(keyOf(name), 0)
  redis.call('XTRIM', keyOf(name), 'MAXLEN', left)
  -- A key that someone deleted has lost we don't know what.
  noteFirst(name, last and offsetOf(last) or head)
end

local function trimAged(room)
  -- Not before there is a little to remove, or every append would look for one event.
  local due = now - maxAge - math.min(60000, maxAge / 1000)
  while room > 0 do
    local oldest = redis.call('ZRANGE', ages, 0, 0, 'WITHSCORES')
    if not oldest[1] or tonumber(oldest[2]) >= due then return end
    local count = 0
    for _, entry in ipairs(redis.call('XRANGE', keyOf(oldest[1]), '-', '+', 'COUNT', 50)) do
      if timeOf(entry) >= now - maxAge then break end
      count = count + 1
    end
    remove(oldest[1], count)
    -- Each topic costs something, too.
    room = room - count - 5
  end
end

local function trimSurplus(room)
  local surplus = redis.call('XLEN', key) - maxCount
  if surplus >= ${lingering} then remove(topic, math.min(surplus, room)) end
end

local function keptFrom()
  local lowest = head + 1
  for _, name in ipairs(redis.call('ZRANGE', ages, 0, 9)) do
    local first = firstAfter(keyOf(name), 0)
    if first then lowest = math.min(lowest, offsetOf(first)) end
  end
  return lowest
end

local function pruneTerms()
  if redis.call('XLEN', terms) <= ${keptTerms} then return end
  local from = keptFrom()
  local oldest = redis.call('XRANGE', terms, '-', '+', 'COUNT', 10)
  for index = 1, #oldest - 1 do
    if offsetOf(oldest[index + 1]) >= from or redis.call('XLEN', terms) <= ${keptTerms} then return end
    redis.call('XDEL', terms, oldest[index][1])
    redis.call('HDEL', termOf, oldest[index][2][2])
  end
end

-- What a clock has stamped that had jumped ahead would not age before that time.
local function setTimesBack(offset)
  local kept = {}
  for _, cap in ipairs(caps) do
    if cap.time < now and cap.time >= now - maxAge then kept[#kept + 1] = cap end
  end
  kept[#kept + 1] = { offset = offset, time = now }
  caps = kept
  local text = {}
  for index, cap in ipairs(caps) do text[index] = digits(cap.offset) .. ':' .. digits(cap.time) end
  redis.call('HSET', stateKey, 'caps', table.concat(text, ' '))
  for _, name in ipairs(redis.call('ZRANGEBYSCORE', ages, '(' .. digits(now), '+inf')) do
    redis.call('ZADD', ages, digits(now), name)
  end
end

local done = redis.call('GET', tokenKey)
if done then
  local doneEpoch, first, count = string.match(done, '^(%w+) (%d+) (%d+)$')
  return { epoch, head, token, 'appended', doneEpoch, tonumber(first), tonumber(count) }
end

local remembered
if idempotencyKey ~= '' then
  remembered = '{sse}:k:' .. topic .. ':' .. idempotencyKey
  local seenTime, first, count, seenPrint =
    string.match(redis.call('GET', remembered) or '', '^(%d+) (%d+) (%d+) (.*)$')
  if seenTime and tonumber(seenTime) >= now - maxAge then
    local outcome = seenPrint == fingerprint and 'replayed' or 'conflict'
    return { epoch, head, token, outcome, epochAt(tonumber(first)), tonumber(first), tonumber(count) }
  end
end

local before = head
local count = (#ARGV - 15) / 2
local isBehind = time - now > clockTolerance
local newTime = isBehind and isBelieved and now or math.max(time, now)
for index = 16, #ARGV, 2 do
  local added = redis.pcall('XADD', key, id(head + 1), 'type', ARGV[index], 'data', ARGV[index + 1], 'time', digits(newTime))
  if type(added) == 'table' and added.err then
    -- Full: what is too old makes room, which needs no memory.
    if head == before then trimAged(500) end
    return added
  end
  head = head + 1
end
if newTime < time then setTimesBack(before) end
time = newTime
token = ownToken
if epoch ~= ARGV[4] and (run ~= runOfRedis() or (not hasAppended and by ~= process)) then
  beginTerm(before, ARGV[4], process)
  pruneTerms()
end
redis.call('XADD', live, 'MAXLEN', '~', ${liveLength}, id(head),
  'after', digits(before), 'topic', topic, 'time', digits(time), 'token', token)
redis.call('HSET', stateKey, 'head', digits(head), 'time', digits(time), 'token', token)
if redis.call('HSETNX', trimmedOf, topic, digits(floor)) == 1 then
  redis.call('ZADD', ages, time, topic)
end
redis.call('SET', tokenKey, epoch .. ' ' .. digits(before + 1) .. ' ' .. count, 'PX', ${tokenMs})
if remembered then
  local text = digits(time) .. ' ' .. digits(before + 1) .. ' ' .. count .. ' ' .. fingerprint
  redis.call('SET', remembered, text, 'PX', digits(time - now + maxAge + 1000))
  redis.call('ZADD', '{sse}:keys:' .. topic, digits(head), idempotencyKey)
end
-- More than was added: what lingers shrinks with every append.
trimAged(count + 100)
trimSurplus(count + 500)
return { epoch, head, token, 'appended', epoch, before + 1, count, isBehind }
`
