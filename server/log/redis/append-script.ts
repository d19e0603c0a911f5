/** The script that appends events. Each call also trims a little. */
import { changeRuns } from './run-script'
import { prelude } from './script-prelude'
import { trimming } from './trim-script'

/** Roughly how many appends the live stream keeps. A process that falls further behind reads the topics instead. */
const liveLength = 10_000
/** How long the answer to an append is remembered, in case the append is sent again. */
const tokenMs = 60_000
/** This many of the newest terms are kept, even when their events are gone. */
const keptTerms = 10_000

// What is seldom needed. To define a function takes Redis a while, so the script defines each of these where it is called.

const pruneTerms = `
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
pruneTerms()
`

/**
 * Events stamped by a clock that had jumped ahead would age too late. A cap limits the time of all events up to an offset. It stays
 * until the last of them is removed, because times must never decrease with the offset.
 */
const setTimesBack = `
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
setTimesBack(before)
`

/** Where newer events replace older ones, keys outlive their events. Forgets more keys than an append adds. */
const forgetExpiredKeys = `
local function forgetExpiredKeys()
  local known = '{sse}:keys:' .. topic
  for _, own in ipairs(redis.call('ZRANGE', known, 0, 1)) do
    if redis.call('EXISTS', '{sse}:k:' .. topic .. ':' .. own) == 1 then return end
    redis.call('ZREM', known, own)
  end
end
forgetExpiredKeys()
`

/**
 * ARGV: now, the age limit of topics that have none of their own; the name of the process, and whether it has appended before; how far
 * the log's clock may be ahead of the process's clock, and whether the process's clock is trusted beyond that; whether this call repeats
 * one whose answer was lost. Then, for each append: its topic, the topic's age limit if it has its own or an empty string, its maxCount
 * or `latest`; the append's token, idempotency key or an empty string, its fingerprint; the run's id or an empty string, what is asked
 * of it, its status, reason, and the renewals that it must have or an empty string; the number of events, and their types and data.
 *
 * Decides each append by itself, in order, and answers each. Adds all events of an append or none: Redis decides before the first write
 * whether it has enough memory for the script. Fails as a whole only when Redis refuses all of the appends.
 */
export const appendScript = `${prelude}
local now, maxAge = tonumber(ARGV[5]), tonumber(ARGV[6])
local process, hasAppended = ARGV[7], ARGV[8] == 'yes'
local clockTolerance, isBelieved = tonumber(ARGV[9]), ARGV[10] == 'yes'
local isRepeated = ARGV[11] == 'yes'
-- Of the append that is being decided.
local topic, ownAge, topicAge, maxCount, isLatest, count, key

${changeRuns}${trimming}
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

-- Decides the append whose arguments begin at an index, and returns its answer. Raises an error when Redis refuses a command.
local function append(at)
  topic, ownAge, maxCount, isLatest = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2]), ARGV[at + 2] == 'latest'
  local ownToken, idempotencyKey, fingerprint = ARGV[at + 3], ARGV[at + 4], ARGV[at + 5]
  local runId, runOp, runStatus, runReason, runRenewals = unpack(ARGV, at + 6, at + 10)
  count, topicAge, key = tonumber(ARGV[at + 11]), tonumber(ownAge) or maxAge, keyOf(topic)
  local tokenKey = '{sse}:a:' .. ownToken

  local done = isRepeated and redis.call('GET', tokenKey)
  if done then
    local doneEpoch, first, doneCount = string.match(done, '^(%w+) (%d+) (%d+)$')
    local own = runId ~= '' and findRun(topic, runId)
    return { 'appended', doneEpoch, tonumber(first), tonumber(doneCount), false, own and answerOf(own) or {} }
  end

  local remembered
  if idempotencyKey ~= '' then
    remembered = '{sse}:k:' .. topic .. ':' .. idempotencyKey
    local seenTime, first, seenCount, seenPrint =
      string.match(redis.call('GET', remembered) or '', '^(%d+) (%d+) (%d+) (.*)$')
    if seenTime and tonumber(seenTime) >= now - topicAge then
      local outcome = seenPrint == fingerprint and 'replayed' or 'conflict'
      return { outcome, epochAt(tonumber(first)), tonumber(first), tonumber(seenCount) }
    end
  end

  local ownRun, unchanged
  if runId ~= '' then
    ownRun, unchanged = decide(topic, runId, runOp, runStatus, runReason, runRenewals)
    if unchanged then return { unchanged[1], '', 0, 0, false, unchanged[2] } end
    if count == 0 then
      writeRun(ownRun, runOp, time)
      return { 'appended', '', 0, 0, false, answerOf(ownRun) }
    end
  end

  local before = head
  local isBehind = time - now > clockTolerance
  local newTime = isBehind and isBelieved and now or math.max(time, now)
  -- The newest event replaces all others, unless they belong to a run.
  local replaces = isLatest and runId == ''
  local from, last = at + 12, at + 10 + 2 * count
  if replaces then
    from = last
    head = before + count - 1
  end
  for index = from, last, 2 do
    local result
    if replaces then
      result = redis.pcall('XADD', key, 'MAXLEN', 1, id(head + 1), 'type', ARGV[index], 'data', ARGV[index + 1], 'time', digits(newTime))
    else
      result = redis.pcall('XADD', key, id(head + 1), 'type', ARGV[index], 'data', ARGV[index + 1], 'time', digits(newTime))
    end
    if type(result) == 'table' and result.err then
      head = before
      error(result)
    end
    head = head + 1
  end
  if newTime < time then ${setTimesBack} end
  time = newTime
  token = ownToken
  if epoch ~= ARGV[4] and (run ~= runOfRedis() or (not hasAppended and by ~= process)) then
    beginTerm(before, ARGV[4], process)
    ${pruneTerms}
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
    if isLatest then ${forgetExpiredKeys} end
  end
  if ownRun then
    writeRun(ownRun, runOp, time)
    if ownRun.last then redis.call('ZADD', agesWith(ownAgeOf(topic)), timeOf(firstAfter(key, 0)), topic) end
  end
  -- Removes more than was added, so that a backlog shrinks with every append.
  trimSurplus(count + 500)
  return { 'appended', epoch, before + 1, count, isBehind, ownRun and answerOf(ownRun) or {} }
end

local answers, refused, refusal = {}, 0, nil
local headBefore, at = head, 12
while ARGV[at] do
  local isDecided, answer = pcall(append, at)
  if not isDecided then
    refused, refusal = refused + 1, type(answer) == 'table' and answer.err or answer
    answer = { 'refused', refusal }
  end
  answers[#answers + 1] = answer
  at = at + 12 + 2 * tonumber(ARGV[at + 11])
end
-- Again more than was added. When Redis is full, much more: removing needs no memory.
if refused > 0 then
  trimAged(500)
elseif head > headBefore then
  trimAged(head - headBefore + 5 * #answers + 100)
end
if refused == #answers then return redis.error_reply(refusal) end
return { epoch, head, token, answers }
`
