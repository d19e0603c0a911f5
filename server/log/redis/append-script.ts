/** The script that appends events. Each append also trims a little. */
import { changeRuns } from './run-script'
import { prelude } from './script-prelude'
import { trimming } from './trim-script'

/** Roughly how many appends the live stream keeps. A process that falls further behind reads the topics instead. */
const liveLength = 10_000
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

${changeRuns}${trimming}
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
