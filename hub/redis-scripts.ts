/**
 * What Redis runs for the log: each script is one step, which no other command can come between.
 * All keys share the hash tag `{sse}`, so that they lie in one slot of a cluster:
 *
 * - `log`, a hash: `epoch`, `head`, `time` and `token` of the newest append, `trimmed`: the highest offset removed of any topic,
 *   `floor`: what topics had lost that are forgotten now.
 * - `t:<topic>`, a stream: the events kept. Ids are `<offset>-0`.
 * - `live`, a stream: the newest appends, whatever their topic. The id is the offset of an append's last event, `after` the head before it.
 * - `trimmed`, a hash: for each topic known the highest offset removed.
 * - `ages`, a sorted set: the topics by the time of the first event kept.
 * - `k:<topic>:<key>`: idempotency keys. `a:<token>`: what an append answered, for its own second try. Both expire.
 */

/** The only key named in calls; the scripts know the others. */
export const logKey = '{sse}:log'
export const liveKey = '{sse}:live'

/** How many appends the live stream keeps, roughly: a process that falls further behind reads the topics instead. */
const liveLength = 10_000
/** What a topic may have too many of before it is trimmed: Redis frees a hundred at once. */
const lingering = 100
/** How long a second try of an append may take to arrive. */
const tokenMs = 60_000

/**
 * Every script begins here. ARGV: the epoch, head and token that the caller saw last, and an epoch to draw if one is needed. When
 * the log is not the one that the caller saw (it was restored from a backup, or a replica that lagged took over), then offsets
 * may be given twice: it gets a new epoch, and every reader hears of it.
 */
const enter = `
local live, trimmedOf, ages = '${liveKey}', '{sse}:trimmed', '{sse}:ages'

local function keyOf(topic) return '{sse}:t:' .. topic end
-- Plain concatenation would round big numbers.
local function digits(number) return string.format('%.0f', number) end
local function id(offset) return digits(offset) .. '-0' end
local function offsetOf(entry) return tonumber(string.match(entry[1], '^%d+')) end
-- Events: type, data, time. Appends in the live stream: after, topic, time, token.
local function timeOf(entry) return tonumber(entry[2][6]) end
local function firstAfter(key, offset)
  return redis.call('XRANGE', key, id(offset + 1), '+', 'COUNT', 1)[1]
end

local state = redis.call('HMGET', KEYS[1], 'epoch', 'head', 'time', 'token', 'trimmed', 'floor')
local epoch, head, time, token = state[1], tonumber(state[2] or 0), tonumber(state[3] or 0), state[4] or ''
local trimmed, floor = tonumber(state[5] or 0), tonumber(state[6] or 0)

local function isAsSeen(seenHead, seenToken)
  if head <= seenHead then return head == seenHead and token == seenToken end
  local entry = firstAfter(live, seenHead - 1)
  -- The live stream may no longer reach back to what was seen.
  if not entry or tonumber(entry[2][2]) >= seenHead then return true end
  return offsetOf(entry) == seenHead and entry[2][8] == seenToken
end

if not epoch or (epoch == ARGV[1] and not isAsSeen(tonumber(ARGV[2]), ARGV[3])) then
  epoch = ARGV[4]
  redis.call('HSET', KEYS[1], 'epoch', epoch)
end
`

/** Looks at the log, which is created when there is none. */
const headScript = `${enter}
return { epoch, head, token }
`

/**
 * ARGV: topic, now, maxAgeMs, maxCount, the append's token, idempotency key or nothing, its fingerprint; type and data of each event.
 * Adds all of the events or none: Redis decides before the first write whether it has memory for the script.
 */
const appendScript = `${enter}
local topic, now, maxAge, maxCount = ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local ownToken, idempotencyKey, fingerprint = ARGV[9], ARGV[10], ARGV[11]
local key = keyOf(topic)
local tokenKey = '{sse}:a:' .. ownToken

local function noteFirst(name, removedUpTo)
  if removedUpTo > trimmed then
    trimmed = removedUpTo
    redis.call('HSET', KEYS[1], 'trimmed', digits(trimmed))
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
    redis.call('HSET', KEYS[1], 'floor', digits(floor))
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
    return { epoch, head, token, outcome, epoch, tonumber(first), tonumber(count) }
  end
end

local before = head
local count = (#ARGV - 11) / 2
time = math.max(time, now)
for index = 12, #ARGV, 2 do
  local added = redis.pcall('XADD', key, id(head + 1), 'type', ARGV[index], 'data', ARGV[index + 1], 'time', digits(time))
  if type(added) == 'table' and added.err then
    -- Full: what is too old makes room, which needs no memory.
    if head == before then trimAged(500) end
    return added
  end
  head = head + 1
end
token = ownToken
redis.call('XADD', live, 'MAXLEN', '~', ${liveLength}, id(head),
  'after', digits(before), 'topic', topic, 'time', digits(time), 'token', token)
redis.call('HSET', KEYS[1], 'head', digits(head), 'time', digits(time), 'token', token)
if redis.call('HSETNX', trimmedOf, topic, digits(floor)) == 1 then
  redis.call('ZADD', ages, time, topic)
end
redis.call('SET', tokenKey, epoch .. ' ' .. digits(before + 1) .. ' ' .. count, 'PX', ${tokenMs})
if remembered then
  local text = digits(time) .. ' ' .. digits(before + 1) .. ' ' .. count .. ' ' .. fingerprint
  redis.call('SET', remembered, text, 'PX', digits(time - now + maxAge + 1000))
end
-- More than was added: what lingers shrinks with every append.
trimAged(count + 100)
trimSurplus(count + 500)
return { epoch, head, token, 'appended', epoch, before + 1, count }
`

/** For those who look back. What is older than `oldest` is not there, whether it was removed or not. */
const lookBack = `${enter}
-- The last entry older than a time, by halving: time never decreases with the offset. 0 when there is none.
local function lastBefore(key, at)
  local entry = firstAfter(key, 0)
  if not entry or timeOf(entry) >= at then return 0 end
  local last = offsetOf(entry)
  local low, high = last, head
  while low < high do
    local middle = math.ceil((low + high) / 2)
    entry = redis.call('XREVRANGE', key, id(middle), '-', 'COUNT', 1)[1]
    if timeOf(entry) < at then
      low, last = middle, offsetOf(entry)
    else
      high = offsetOf(entry) - 1
    end
  end
  return last
end

-- What is kept of each topic begins after this offset.
local beginOf = {}

-- The highest offset of those topics that is no longer kept.
local function survey(topics, oldest)
  local highest = 0
  if #topics == 0 then return highest end
  for index, known in ipairs(redis.call('HMGET', trimmedOf, unpack(topics))) do
    local begin = lastBefore(keyOf(topics[index]), oldest)
    beginOf[topics[index]] = begin
    highest = math.max(highest, tonumber(known or floor), begin)
  end
  return highest
end

local function reasonOf(cursorEpoch, offset, removedUpTo)
  if cursorEpoch ~= epoch then return 'epoch' end
  if offset > head then return 'future' end
  return offset < removedUpTo and 'trimmed' or ''
end

-- Calls visit(topic, offset, entry) in the order of the offsets, those after one and up to another, or backwards, until it
-- answers false. Entries may be big: a topic is read ahead little further than it has been read.
local function merge(topics, after, upTo, isForwards, visit)
  local sign = isForwards and 1 or -1
  local runs = {}
  local function fill(run)
    if isForwards then
      run.entries = redis.call('XRANGE', run.key, id(run.offset + 1), id(upTo), 'COUNT', run.size)
    else
      run.entries = redis.call('XREVRANGE', run.key, id(run.offset - 1), id(run.begin + 1), 'COUNT', run.size)
    end
    run.index = 0
    run.isLast = #run.entries < run.size
    run.size = run.size * 2
  end
  local function step(run)
    if run.index == #run.entries and not run.isLast then fill(run) end
    run.index = run.index + 1
    run.entry = run.entries[run.index]
    run.offset = run.entry and offsetOf(run.entry)
  end
  for _, topic in ipairs(topics) do
    local begin = math.max(after, beginOf[topic] or 0)
    local run = { topic = topic, key = keyOf(topic), begin = begin }
    run.offset = isForwards and begin or upTo + 1
    run.size = math.max(4, math.floor(128 / #topics))
    fill(run)
    step(run)
    if run.entry then runs[#runs + 1] = run end
  end
  while #runs > 0 do
    local nearest = 1
    for index = 2, #runs do
      if sign * runs[index].offset < sign * runs[nearest].offset then nearest = index end
    end
    local run = runs[nearest]
    if visit(run.topic, run.offset, run.entry) == false then return end
    step(run)
    if not run.entry then table.remove(runs, nearest) end
  end
end
`

/**
 * ARGV: epoch and offset of the cursor, limit, maxBytes, the time of the oldest event that may be read; `all`, or `some` and the
 * topics. What there is of all topics is found by the live stream, as far as that reaches back.
 */
const readScript = `${lookBack}
local cursorEpoch, after = ARGV[5], tonumber(ARGV[6])
local limit, maxBytes, oldest = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local isAll, topics = ARGV[10] == 'all', { unpack(ARGV, 11) }
local events, count, bytes, last, isCut = {}, 0, 0, 0, false

local function take(topic, offset, entry)
  local fields = entry[2]
  bytes = bytes + #fields[4]
  isCut = count == limit or (count > 0 and bytes > maxBytes)
  if isCut then return false end
  count, last = count + 1, offset
  events[count] = { topic, fields[2], fields[4], offset, timeOf(entry) }
  return true
end

local function takeAll(from)
  repeat
    local appends = redis.call('XRANGE', live, id(from + 1), '+', 'COUNT', 100)
    if #appends == 0 then return end
    local found, isFound = {}, {}
    for _, append in ipairs(appends) do
      local topic = append[2][4]
      if not isFound[topic] then
        isFound[topic] = true
        found[#found + 1] = topic
      end
    end
    local upTo = offsetOf(appends[#appends])
    merge(found, from, upTo, true, take)
    from = upTo
  until isCut
end

local begin, removedUpTo = 0, 0
if isAll then
  local first = firstAfter(live, 0)
  begin = math.max(first and tonumber(first[2][2]) or head, lastBefore(live, oldest))
  removedUpTo = math.max(trimmed, begin)
else
  removedUpTo = survey(topics, oldest)
end
local reason = reasonOf(cursorEpoch, after, removedUpTo)
if reason == 'epoch' or reason == 'future' then after = 0 end
if isAll then
  takeAll(math.max(after, begin))
else
  merge(topics, after, head, true, take)
end
return { epoch, head, token, reason, removedUpTo, isCut and last or head, events }
`

/**
 * ARGV: the time of the oldest event that may be read; `cursor`, epoch and offset, or `last` or `since` and a number; the topics.
 * Answers the offset of the first event to read, 0 when there is none.
 */
const locateScript = `${lookBack}
local oldest, kind = tonumber(ARGV[5]), ARGV[6]
local topics = { unpack(ARGV, kind == 'cursor' and 9 or 8) }
local removedUpTo = survey(topics, oldest)

local function firstKept(beginAt)
  local first
  for _, topic in ipairs(topics) do
    local entry = firstAfter(keyOf(topic), math.max(beginAt(topic), beginOf[topic]))
    if entry and (not first or offsetOf(entry) < first) then first = offsetOf(entry) end
  end
  return first
end

local reason, first = '', nil
if kind == 'cursor' then
  local offset = tonumber(ARGV[8])
  reason = reasonOf(ARGV[7], offset, removedUpTo)
  local from = reason == 'trimmed' and offset or 0
  if reason ~= '' then first = firstKept(function () return from end) end
elseif kind == 'since' then
  first = firstKept(function (topic) return lastBefore(keyOf(topic), tonumber(ARGV[7])) end)
else
  local left = tonumber(ARGV[7])
  if left > 0 then
    merge(topics, 0, head, false, function (_, offset)
      first = offset
      left = left - 1
      return left > 0
    end)
  end
end
return { epoch, head, token, reason, removedUpTo, first or 0 }
`

/** By the names of the commands that run them. */
export const redisScripts = {
  logHead: headScript,
  logAppend: appendScript,
  logRead: readScript,
  logLocate: locateScript,
}
