/** The script that appends events. Each append also trims a little. */
import { changeRuns } from './run-script'
import { prelude } from './script-prelude'

/** Roughly how many appends the live stream keeps. A process that falls further behind reads the topics instead. */
const liveLength = 10_000
/** How far a topic may exceed its limit before it is trimmed. Redis frees stream entries a hundred at a time. */
const lingering = 100
/** How long the answer to an append is remembered, in case the append is sent again. */
const tokenMs = 60_000
/** This many of the newest terms are kept, even when their events are gone. */
const keptTerms = 10_000

/**
 * ARGV: topic, now, the age limit of topics that have none of their own, that of this topic if it has its own or an empty string, the
 * topic's maxCount or `latest`, the append's token, idempotency key or an empty string, its fingerprint; the name of the
 * process, and whether it has appended before; how far the log's clock may be ahead of the process's clock, and whether the
 * process's clock is trusted beyond that; the run's id or an empty string, what is asked of it, its status, reason, and the renewals
 * that it must have or an empty string; type and data of each event. Adds all of the events or none: Redis decides before the
 * first write whether it has enough memory for the script.
 */
export const appendScript = `${prelude}
local topic, now, maxAge, ownAge, maxCount = ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8], tonumber(ARGV[9])
local isLatest = ARGV[9] == 'latest'
local ownToken, idempotencyKey, fingerprint = ARGV[10], ARGV[11], ARGV[12]
local process, hasAppended = ARGV[13], ARGV[14] == 'yes'
local clockTolerance, isBelieved = tonumber(ARGV[15]), ARGV[16] == 'yes'
local runId, runOp, runStatus, runReason, runRenewals = ARGV[17], ARGV[18], ARGV[19], ARGV[20], ARGV[21]
local count = (#ARGV - 21) / 2
local topicAge = tonumber(ownAge) or maxAge
local key = keyOf(topic)
local tokenKey = '{sse}:a:' .. ownToken

${changeRuns}
-- Topics with the same age limit are in one sorted set, by the time of their first event: the set of this limit, as text or nil.
local function agesWith(limit) return limit and ages .. ':' .. limit or ages end
local function ownAgeOf(name) return redis.call('HGET', ownAges, name) or nil end
local function allAges()
  local sets = { ages }
  for _, limit in ipairs(redis.call('SMEMBERS', ageLimits)) do sets[#sets + 1] = agesWith(limit) end
  return sets
end

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
  local sameAge = agesWith(ownAgeOf(name))
  if first then
    redis.call('HSET', trimmedOf, name, digits(removedUpTo))
    redis.call('ZADD', sameAge, timeOf(first), name)
    return
  end
  redis.call('DEL', keyOf(name))
  redis.call('HDEL', trimmedOf, name)
  redis.call('ZREM', sameAge, name)
  redis.call('HDEL', ownAges, name)
  if removedUpTo > floor then
    floor = removedUpTo
    redis.call('HSET', stateKey, 'floor', digits(floor))
  end
end

local function remove(name, count)
  local left = redis.call('XLEN', keyOf(name)) - count
  -- Two steps: this finds the last removed entry without reading them all.
  redis.call('XTRIM', keyOf(name), 'MAXLEN', left + 1)
  local last = firstAfter(keyOf(name), 0)
  redis.call('XTRIM', keyOf(name), 'MAXLEN', left)
  -- If the stream was deleted from outside, everything up to the head counts as lost.
  noteFirst(name, last and offsetOf(last) or head)
end

-- Removes the events that are too old of the topics with one age limit. Returns what is left of the budget.
local function trimOfAge(limit, age, budget)
  -- Wait until several events are due, or every append would trim a single event.
  local due = now - age - math.min(60000, age / 1000)
  while budget > 0 do
    local oldest = redis.call('ZRANGE', agesWith(limit), 0, 0, 'WITHSCORES')
    if not oldest[1] or tonumber(oldest[2]) >= due then return budget end
    local name, aged = oldest[1], 0
    local living = beginOfLiving(name)
    for _, entry in ipairs(redis.call('XRANGE', keyOf(name), '-', '+', 'COUNT', 50)) do
      if timeOf(entry) >= now - age or (living and offsetOf(entry) >= living) then break end
      aged = aged + 1
    end
    if ownAgeOf(name) ~= limit then
      -- A program that knows no limits of topics has put the topic here.
      redis.call('ZREM', agesWith(limit), name)
    elseif aged > 0 then
      remove(name, aged)
    else
      -- Newer events have replaced the first one. Or only the living run is left: its end sets the right time again.
      local first = not living and firstAfter(keyOf(name), 0)
      redis.call('ZADD', agesWith(limit), digits(first and timeOf(first) or now), name)
    end
    -- Visiting a topic has a cost of its own.
    budget = budget - aged - 5
  end
  return 0
end

local function trimAged(budget)
  budget = trimOfAge(nil, maxAge, budget)
  for _, limit in ipairs(redis.call('SMEMBERS', ageLimits)) do
    if budget <= 0 then return end
    budget = trimOfAge(limit, tonumber(limit), budget)
    if redis.call('EXISTS', agesWith(limit)) == 0 then redis.call('SREM', ageLimits, limit) end
  end
end

local function trimSurplus(budget)
  if isLatest then return end
  local surplus = redis.call('XLEN', key) - maxCount
  if surplus < ${lingering} then return end
  local living = beginOfLiving(topic)
  surplus = math.min(surplus, budget)
  if living then surplus = #redis.call('XRANGE', key, '-', id(living - 1), 'COUNT', math.min(surplus, ${lingering})) end
  if surplus > 0 then remove(topic, surplus) end
end

local function keptFrom()
  local lowest = head + 1
  for _, sameAge in ipairs(allAges()) do
    for _, name in ipairs(redis.call('ZRANGE', sameAge, 0, 9)) do
      local first = firstAfter(keyOf(name), 0)
      if first then lowest = math.min(lowest, offsetOf(first)) end
    end
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

-- Events stamped by a clock that had jumped ahead would age too late. A cap limits the time of all events up to an offset. It stays
-- until the last of them is removed, because times must never decrease with the offset.
local function setTimesBack(offset)
  local oldestTime = now
  for _, sameAge in ipairs(allAges()) do
    local oldest = redis.call('ZRANGE', sameAge, 0, 0, 'WITHSCORES')
    oldestTime = math.min(oldestTime, tonumber(oldest[2] or now))
  end
  local kept = {}
  for _, cap in ipairs(caps) do
    if cap.time < now and cap.time >= oldestTime then kept[#kept + 1] = cap end
  end
  kept[#kept + 1] = { offset = offset, time = now }
  caps = kept
  local text = {}
  for index, cap in ipairs(caps) do text[index] = digits(cap.offset) .. ':' .. digits(cap.time) end
  redis.call('HSET', stateKey, 'caps', table.concat(text, ' '))
  for _, sameAge in ipairs(allAges()) do
    for _, name in ipairs(redis.call('ZRANGEBYSCORE', sameAge, '(' .. digits(now), '+inf')) do
      redis.call('ZADD', sameAge, digits(now), name)
    end
  end
end

-- Stores the topic's own age limit. Its events are in the stream already.
local function noteAge()
  local known = ownAgeOf(topic)
  local limit = ownAge ~= '' and ownAge or nil
  local isNew = redis.call('HSETNX', trimmedOf, topic, digits(floor)) == 1
  if known == limit and not isNew then return end
  if limit then
    redis.call('HSET', ownAges, topic, limit)
    redis.call('SADD', ageLimits, limit)
  else
    redis.call('HDEL', ownAges, topic)
  end
  redis.call('ZREM', agesWith(known), topic)
  redis.call('ZADD', agesWith(limit), digits(timeOf(firstAfter(key, 0))), topic)
end

-- Where newer events replace older ones, keys outlive their events. Forgets more keys than an append adds.
local function forgetExpiredKeys()
  local known = '{sse}:keys:' .. topic
  for _, own in ipairs(redis.call('ZRANGE', known, 0, 1)) do
    if redis.call('EXISTS', '{sse}:k:' .. topic .. ':' .. own) == 1 then return end
    redis.call('ZREM', known, own)
  end
end

local done = redis.call('GET', tokenKey)
if done then
  local doneEpoch, first, doneCount = string.match(done, '^(%w+) (%d+) (%d+)$')
  local own = runId ~= '' and findRun(topic, runId)
  return { epoch, head, token, 'appended', doneEpoch, tonumber(first), tonumber(doneCount), false, own and answerOf(own) or {} }
end

local remembered
if idempotencyKey ~= '' then
  remembered = '{sse}:k:' .. topic .. ':' .. idempotencyKey
  local seenTime, first, seenCount, seenPrint =
    string.match(redis.call('GET', remembered) or '', '^(%d+) (%d+) (%d+) (.*)$')
  if seenTime and tonumber(seenTime) >= now - topicAge then
    local outcome = seenPrint == fingerprint and 'replayed' or 'conflict'
    return { epoch, head, token, outcome, epochAt(tonumber(first)), tonumber(first), tonumber(seenCount) }
  end
end

local ownRun, unchanged
if runId ~= '' then
  ownRun, unchanged = decide(topic, runId, runOp, runStatus, runReason, runRenewals)
  if unchanged then return { epoch, head, token, unchanged[1], '', 0, 0, false, unchanged[2] } end
  if count == 0 then
    writeRun(ownRun, runOp, time)
    return { epoch, head, token, 'appended', '', 0, 0, false, answerOf(ownRun) }
  end
end

local before = head
local isBehind = time - now > clockTolerance
local newTime = isBehind and isBelieved and now or math.max(time, now)
-- The newest event replaces all others, unless they belong to a run.
local replaces = isLatest and runId == ''
local from = 22
if replaces then
  from = #ARGV - 1
  head = before + count - 1
end
for index = from, #ARGV, 2 do
  local added
  if replaces then
    added = redis.pcall('XADD', key, 'MAXLEN', 1, id(head + 1), 'type', ARGV[index], 'data', ARGV[index + 1], 'time', digits(newTime))
  else
    added = redis.pcall('XADD', key, id(head + 1), 'type', ARGV[index], 'data', ARGV[index + 1], 'time', digits(newTime))
  end
  if type(added) == 'table' and added.err then
    -- Redis is full: remove events that are too old. Removing needs no memory.
    if index == from then trimAged(500) end
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
noteAge()
redis.call('SET', tokenKey, epoch .. ' ' .. digits(before + 1) .. ' ' .. count, 'PX', ${tokenMs})
if remembered then
  local text = digits(time) .. ' ' .. digits(before + 1) .. ' ' .. count .. ' ' .. fingerprint
  redis.call('SET', remembered, text, 'PX', digits(time - now + topicAge + 1000))
  redis.call('ZADD', '{sse}:keys:' .. topic, digits(head), idempotencyKey)
  if isLatest then forgetExpiredKeys() end
end
if ownRun then
  writeRun(ownRun, runOp, time)
  if ownRun.last then redis.call('ZADD', agesWith(ownAgeOf(topic)), timeOf(firstAfter(key, 0)), topic) end
end
-- Remove more than was added, so that a backlog shrinks with every append.
trimAged(count + 100)
trimSurplus(count + 500)
return { epoch, head, token, 'appended', epoch, before + 1, count, isBehind, ownRun and answerOf(ownRun) or {} }
`
