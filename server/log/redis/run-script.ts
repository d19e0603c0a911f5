/** The parts of the scripts that know of runs. Repeats the decisions of run-change.ts. */
import { prelude } from './script-prelude'
import { earlyStopMs, keptMs, maxEarlyStops } from '@/server/log/run-change'

/** The offset at which the living run of a topic begins, or nil. */
export const livingBegin = `
local livingOf = '{sse}:living'
local function beginOfLiving(topic)
  return tonumber(string.match(redis.call('HGET', livingOf, topic) or '', '^%d+'))
end
`

/**
 * Needs `now` and `topicAge`, the age limit of the topic's events. A run is a table of the strings and numbers that its hash has: `state`, `reason`, `renewals`, `first`,
 * `last` and `ended`, the time of its end; the last two are missing while it lives.
 */
const findRuns = `${livingBegin}
local function newestKey(topic) return '{sse}:newest:' .. topic end
local function runKey(topic, id) return '{sse}:run:' .. topic .. ':' .. id end

local function findRun(topic, id)
  local found = redis.call('HMGET', runKey(topic, id), 'state', 'reason', 'renewals', 'first', 'last', 'ended')
  if not found[1] then return nil end
  local ended = tonumber(found[6] or nil)
  if ended and ended < now - topicAge - ${keptMs} then return nil end
  return { id = id, topic = topic, state = found[1], reason = found[2] or '', renewals = tonumber(found[3]),
    first = tonumber(found[4]), last = tonumber(found[5] or nil) }
end

local function answerOf(own)
  return { own.topic, own.id, own.state, own.reason, own.renewals, own.first, own.last or 0 }
end

`

/**
 * `decide` returns what the run becomes and nil; or nil and the answer to an append that changes nothing. `writeRun` writes it.
 * Needs `digits`, `head` and `count` besides.
 */
export const changeRuns = `${findRuns}
local function decide(topic, id, op, status, reason, ifRenewals)
  local own = findRun(topic, id)
  local isLiving = own and not own.last
  local stops = '{sse}:stops:' .. topic
  if op == 'begin' then
    local living = string.match(redis.call('HGET', livingOf, topic) or '', '^%d+ (.*)$')
    local known = own or (living and findRun(topic, living))
    if known then return nil, { 'unchanged', answerOf(known) } end
    local isStopped = tonumber(redis.call('ZSCORE', stops, id) or '-1') >= now - ${earlyStopMs}
    return { id = id, topic = topic, state = isStopped and 'stopping' or 'running', reason = '', renewals = 0,
      first = head + 1 }
  end
  if op == 'stop' then
    if not own then
      redis.call('ZADD', stops, digits(now), id)
      redis.call('ZREMRANGEBYSCORE', stops, '-inf', '(' .. digits(now - ${earlyStopMs}))
      redis.call('ZREMRANGEBYRANK', stops, 0, -${maxEarlyStops + 1})
      redis.call('PEXPIRE', stops, ${earlyStopMs})
      return nil, { 'unchanged', {} }
    end
    if own.state ~= 'running' then return nil, { 'unchanged', answerOf(own) } end
    own.state, own.reason = 'stopping', reason
    return own
  end
  if not own or (op == 'renew' and not isLiving) then return nil, { 'run-ended', {} } end
  if not isLiving or (ifRenewals ~= '' and tonumber(ifRenewals) ~= own.renewals) then
    return nil, { 'unchanged', answerOf(own) }
  end
  if op == 'renew' then
    own.renewals = own.renewals + 1
    return own
  end
  own.state, own.reason, own.last = status, reason, head + count
  return own
end

local function writeRun(own, op, endTime)
  local key = runKey(own.topic, own.id)
  if op == 'begin' then
    redis.call('DEL', key)
    redis.call('SET', newestKey(own.topic), own.id)
    redis.call('HSET', livingOf, own.topic, digits(own.first) .. ' ' .. own.id)
  end
  redis.call('HSET', key, 'state', own.state, 'reason', own.reason, 'renewals', digits(own.renewals),
    'first', digits(own.first))
  if not own.last then return end
  redis.call('HSET', key, 'last', digits(own.last), 'ended', digits(endTime))
  redis.call('HDEL', livingOf, own.topic)
  local leftMs = digits(endTime - now + topicAge + ${keptMs} + 1000)
  redis.call('PEXPIRE', key, leftMs)
  redis.call('PEXPIRE', newestKey(own.topic), leftMs)
end
`

/** ARGV: now, the age limit of the topic's events, the topic, the id or an empty string. */
export const findRunScript = `${prelude}
local now, topicAge = tonumber(ARGV[5]), tonumber(ARGV[6])
${findRuns}
local topic, id = ARGV[7], ARGV[8]
if id == '' then id = redis.call('GET', newestKey(topic)) end
local own = id and findRun(topic, id)
return { epoch, head, token, own and answerOf(own) or {} }
`

/** ARGV: now, an age limit, which does not count for runs that live. */
export const livingRunsScript = `${prelude}
local now, topicAge = tonumber(ARGV[5]), tonumber(ARGV[6])
${findRuns}
local found = {}
local living = redis.call('HGETALL', livingOf)
for index = 1, #living, 2 do
  local own = findRun(living[index], string.match(living[index + 1], '^%d+ (.*)$'))
  if own then found[#found + 1] = answerOf(own) end
end
return { epoch, head, token, found }
`
