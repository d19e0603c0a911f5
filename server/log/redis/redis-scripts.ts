/**
 * What Redis runs for the log: each script is one step, which no other command can come between.
 * All keys share the hash tag `{sse}`, so that they lie in one slot of a cluster:
 *
 * - `log`, a string: the number of the format that the other keys have. A program of before format 2 expects a hash here, and fails.
 * - `state`, a hash: `head`, `time` and `token` of the newest append; `epoch` of the present term, the Redis process in which it began
 *   (`run`), and the process that began it (`by`); `trimmed`: the highest offset removed of any topic; `floor`: what topics had lost
 *   that are forgotten now; `caps`: until which offset events happened at which time at the latest, after the clock was set back.
 * - `terms`, a stream: the terms, by ids `<begin>-<n>`. `term`, a hash: the id of each epoch.
 * - `t:<topic>`, a stream: the events kept. Ids are `<offset>-0`.
 * - `live`, a stream: the newest appends, whatever their topic. The id is the offset of an append's last event, `after` the head before it.
 * - `trimmed`, a hash: for each topic known the highest offset removed.
 * - `ages`, a sorted set: the topics by the time of the first event kept.
 * - `k:<topic>:<key>`: idempotency keys, which expire; `keys:<topic>`, a sorted set: those of a topic by the offset of the last event.
 * - `a:<token>`: what an append answered, for its own second try. Expires.
 */

/** The only key named in calls; the scripts know the others. */
export const logKey = '{sse}:log'
export const liveKey = '{sse}:live'

/** A process that finds another format can't use the log. */
export const formatVersion = '2'
/** How the error begins that says so. */
export const otherFormat = 'FORMAT'

/** How many appends the live stream keeps, roughly: a process that falls further behind reads the topics instead. */
const liveLength = 10_000
/** What a topic may have too many of before it is trimmed: Redis frees a hundred at once. */
const lingering = 100
/** How long a second try of an append may take to arrive. */
const tokenMs = 60_000
/** How many terms are kept whatever has become of their events. */
const keptTerms = 10_000

/**
 * Every script begins here. ARGV: the epoch, head and token that the caller saw last, and an epoch to use if one is needed. When
 * the log is not the one that the caller saw (it was restored from a backup, say), offsets may be given twice. If Redis was started
 * since, they are from here on, and a term begins; else nobody knows from where on, and the term gets another epoch.
 */
const enter = `
local stateKey, terms, termOf = '{sse}:state', '{sse}:terms', '{sse}:term'
local live, trimmedOf, ages = '${liveKey}', '{sse}:trimmed', '{sse}:ages'

local function keyOf(topic) return '{sse}:t:' .. topic end
-- Plain concatenation would round big numbers.
local function digits(number) return string.format('%.0f', number) end
local function id(offset) return digits(offset) .. '-0' end
local function offsetOf(entry) return tonumber(string.match(entry[1], '^%d+')) end
local function firstAfter(key, offset)
  return redis.call('XRANGE', key, id(offset + 1), '+', 'COUNT', 1)[1]
end

local format = redis.pcall('GET', KEYS[1])
if type(format) == 'table' then
  -- A hash, as it was before there were terms.
  redis.call('RENAME', KEYS[1], stateKey)
  redis.call('SET', KEYS[1], '${formatVersion}')
  local only = redis.call('HGET', stateKey, 'epoch')
  redis.call('XADD', terms, '0-1', 'epoch', only)
  redis.call('HSET', termOf, only, '0-1')
elseif not format then
  redis.call('SET', KEYS[1], '${formatVersion}')
elseif format ~= '${formatVersion}' then
  return redis.error_reply('${otherFormat} ' .. format)
end

local state = redis.call('HMGET', stateKey,
  'epoch', 'head', 'time', 'token', 'trimmed', 'floor', 'run', 'by', 'caps')
local epoch, head, time, token = state[1], tonumber(state[2] or 0), tonumber(state[3] or 0), state[4] or ''
local trimmed, floor, run, by = tonumber(state[5] or 0), tonumber(state[6] or 0), state[7], state[8]

-- By offset, and by time, too.
local caps = {}
for offset, at in string.gmatch(state[9] or '', '(%d+):(%d+)') do
  caps[#caps + 1] = { offset = tonumber(offset), time = tonumber(at) }
end

-- Events: type, data, time. Appends in the live stream: after, topic, time, token.
local function timeOf(entry)
  local at = tonumber(entry[2][6])
  for _, cap in ipairs(caps) do
    if cap.offset >= offsetOf(entry) then return math.min(at, cap.time) end
  end
  return at
end

-- The Redis process: another one may have lost what the one before had.
local function runOfRedis() return string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') end

local function newestTerm()
  local entry = redis.call('XREVRANGE', terms, '+', '-', 'COUNT', 1)[1]
  if not entry then return nil end
  local begin, n = string.match(entry[1], '^(%d+)-(%d+)$')
  return entry[1], tonumber(begin), tonumber(n)
end

local function addTerm(begin, n, name)
  local termId = digits(begin) .. '-' .. n
  redis.call('XADD', terms, termId, 'epoch', name)
  redis.call('HSET', termOf, name, termId)
  epoch = name
end

local function beginTerm(begin, name, process)
  local _, lastBegin, n = newestTerm()
  addTerm(begin, lastBegin == begin and n + 1 or 1, name)
  run, by = runOfRedis(), process
  redis.call('HSET', stateKey, 'epoch', epoch, 'run', run, 'by', by)
end

local function renameTerm(name)
  local termId, begin, n = newestTerm()
  redis.call('XDEL', terms, termId)
  redis.call('HDEL', termOf, epoch)
  addTerm(begin, n + 1, name)
  redis.call('HSET', stateKey, 'epoch', epoch)
end

local function isAsSeen(seenHead, seenToken)
  if head <= seenHead then return head == seenHead and token == seenToken end
  local entry = firstAfter(live, seenHead - 1)
  -- The live stream may no longer reach back to what was seen.
  if not entry or tonumber(entry[2][2]) >= seenHead then return true end
  return offsetOf(entry) == seenHead and entry[2][8] == seenToken
end

if not epoch then
  redis.call('DEL', terms, termOf)
  beginTerm(head, ARGV[4], '')
elseif epoch == ARGV[1] and not isAsSeen(tonumber(ARGV[2]), ARGV[3]) then
  if run ~= runOfRedis() then beginTerm(head, ARGV[4], '') else renameTerm(ARGV[4]) end
end

-- The epoch that an offset was given in.
local function epochAt(offset)
  local entry = offset > 0 and redis.call('XREVRANGE', terms, digits(offset - 1), '-', 'COUNT', 1)[1]
  -- Of the offsets before the first term that is still known, that one stands for all.
  entry = entry or redis.call('XRANGE', terms, '-', '+', 'COUNT', 1)[1]
  return entry[2][2]
end
`

/** Looks at the log, which is created when there is none. */
const headScript = `${enter}
return { epoch, head, token }
`

/**
 * ARGV: topic, now, maxAgeMs, maxCount, the append's token, idempotency key or nothing, its fingerprint; the process that appends, and
 * whether it has appended before; how far the log's clock may be ahead of its own, and whether its own is believed beyond that; type and data of each event. Adds all of the events or none: Redis decides before the first write whether it has memory for the script.
 */
const appendScript = `${enter}
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

-- For each of those topics the highest offset that is no longer kept.
local function survey(topics, oldest)
  local removed = {}
  if #topics == 0 then return removed end
  for index, known in ipairs(redis.call('HMGET', trimmedOf, unpack(topics))) do
    local begin = lastBefore(keyOf(topics[index]), oldest)
    beginOf[topics[index]] = begin
    removed[index] = math.max(tonumber(known or floor), begin)
  end
  return removed
end

-- A cursor holds up to where its term ended.
local function reasonOf(name, offset)
  local upTo = head
  if name ~= epoch then
    local termId = redis.call('HGET', termOf, name)
    if not termId then return 'epoch' end
    local later = redis.call('XRANGE', terms, '(' .. termId, '+', 'COUNT', 1)[1]
    if later then upTo = offsetOf(later) end
  end
  return offset > upTo and 'future' or ''
end

-- The terms of the offsets from the first to the last: each epoch, and after which offset it begins.
local function termsBetween(first, last)
  local found = { { epochAt(first), 0 } }
  if last == first then return found end
  for _, entry in ipairs(redis.call('XRANGE', terms, digits(first), digits(last - 1))) do
    found[#found + 1] = { entry[2][2], offsetOf(entry) }
  end
  return found
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

local begin, removed = 0, {}
if isAll then
  local first = firstAfter(live, 0)
  begin = math.max(first and tonumber(first[2][2]) or head, lastBefore(live, oldest))
  removed = { math.max(trimmed, begin) }
else
  removed = survey(topics, oldest)
end
local reason = reasonOf(cursorEpoch, after)
if reason ~= '' then after = 0 end
if isAll then
  takeAll(math.max(after, begin))
else
  merge(topics, after, head, true, take)
end
local through = isCut and last or head
return { epoch, head, token, reason, removed, through, events,
  count > 0 and termsBetween(events[1][4], events[count][4]) or {} }
`

/**
 * ARGV: the time of the oldest event that may be read; `cursor`, epoch and offset, or `last` or `since` and a number; the topics.
 * Answers the offset of the first event to read and its epoch; the offset is 0 when there is none, or the cursor holds.
 */
const locateScript = `${lookBack}
local oldest, kind = tonumber(ARGV[5]), ARGV[6]
local topics = { unpack(ARGV, kind == 'cursor' and 9 or 8) }
local removed = survey(topics, oldest)

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
  reason = reasonOf(ARGV[7], tonumber(ARGV[8]))
  if reason ~= '' then first = firstKept(function () return 0 end) end
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
return { epoch, head, token, reason, removed, first or 0, first and epochAt(first) or '' }
`

/** By the names of the commands that run them. */
export const redisScripts = {
  logHead: headScript,
  logAppend: appendScript,
  logRead: readScript,
  logLocate: locateScript,
}
