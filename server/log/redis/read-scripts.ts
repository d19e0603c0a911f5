/** The scripts that read: one reads a page of events, the other finds where a reader starts. */
import { livingBegin } from './run-script'
import { prelude } from './script-prelude'

/** Shared by both scripts. Treats events that are too old as removed, even when they still exist. */
const lookBack = `${prelude}${livingBegin}
-- The offset of the last entry older than a time, or 0 when there is none. A binary search: time never decreases with the offset.
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

-- For each topic, the kept events begin after this offset.
local beginOf = {}

-- The offset up to which the events of a topic are too old. Also fills beginOf.
local function lastAged(topic, oldest)
  local begin = lastBefore(keyOf(topic), oldest)
  -- The events of a living run do not age.
  if begin > 0 then begin = math.min(begin, (beginOfLiving(topic) or head + 1) - 1) end
  beginOf[topic] = begin
  return begin
end

-- For each of the topics, the highest offset that is no longer kept. maxAge is the limit of topics that have none of their own.
local function survey(topics, now, maxAge)
  local removed = {}
  if #topics == 0 then return removed end
  local limits = redis.call('HMGET', ownAges, unpack(topics))
  for index, known in ipairs(redis.call('HMGET', trimmedOf, unpack(topics))) do
    local begin = lastAged(topics[index], now - (tonumber(limits[index] or nil) or maxAge))
    removed[index] = math.max(tonumber(known or floor), begin)
  end
  return removed
end

-- Why a cursor can't be honoured, or '' when it can. A cursor is valid up to the end of its term.
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

-- The terms of the offsets from first to last: each epoch, and the offset after which it begins.
local function termsBetween(first, last)
  local found = { { epochAt(first), 0 } }
  if last == first then return found end
  for _, entry in ipairs(redis.call('XRANGE', terms, digits(first), digits(last - 1))) do
    found[#found + 1] = { entry[2][2], offsetOf(entry) }
  end
  return found
end

-- Goes to the next entry of a topic: its entry and offset, or nil after the last one. Entries may be big, so it reads them in batches,
-- each twice as large as the one before.
local function step(run)
  if run.index == #run.entries and not run.isLast then
    if run.isForwards then
      run.entries = redis.call('XRANGE', run.key, id(run.offset + 1), id(run.upTo), 'COUNT', run.size)
    else
      run.entries = redis.call('XREVRANGE', run.key, id(run.offset - 1), id(run.begin + 1), 'COUNT', run.size)
    end
    run.index = 0
    run.isLast = #run.entries < run.size
    run.size = run.size * 2
  end
  run.index = run.index + 1
  run.entry = run.entries[run.index]
  run.offset = run.entry and offsetOf(run.entry)
end

-- The kept entries of a topic after one offset and up to another, at the first or the last of them.
local function entriesOf(topic, after, upTo, isForwards, size)
  local begin = math.max(after, beginOf[topic] or 0)
  local run = { topic = topic, key = keyOf(topic), begin = begin, upTo = upTo, isForwards = isForwards, size = size,
    offset = isForwards and begin or upTo + 1, entries = {}, index = 0 }
  step(run)
  return run
end

-- Calls visit(topic, offset, entry) for the entries after one offset and up to another, in the order of their offsets or backwards,
-- until visit returns false.
local function merge(topics, after, upTo, isForwards, visit)
  local sign = isForwards and 1 or -1
  local runs = {}
  for _, topic in ipairs(topics) do
    local run = entriesOf(topic, after, upTo, isForwards, math.max(4, math.floor(128 / #topics)))
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
 * ARGV: epoch and offset of the cursor, limit, maxBytes, now, the age limit of topics that have none of their own; `all`, or `some`
 * and the topics. To read all topics, follows the live stream, so it only reaches as far back as the live stream does.
 */
export const readScript = `${lookBack}
local cursorEpoch, after = ARGV[5], tonumber(ARGV[6])
local limit, maxBytes = tonumber(ARGV[7]), tonumber(ARGV[8])
local now, maxAge = tonumber(ARGV[9]), tonumber(ARGV[10])
local isAll, topics = ARGV[11] == 'all', { unpack(ARGV, 12) }
local begin, removed = 0, {}
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

-- Events that are older than their own topic allows count as removed.
local function noteOverage(names)
  for index, own in ipairs(redis.call('HMGET', ownAges, unpack(names))) do
    if own then removed[1] = math.max(removed[1], lastAged(names[index], now - tonumber(own))) end
  end
end

-- Each append of the live stream says which topic comes next, and up to which offset.
local function takeAll(from)
  repeat
    local appends = redis.call('XRANGE', live, id(from + 1), '+', 'COUNT', 100)
    if #appends == 0 then return end
    local found, runs = {}, {}
    for _, append in ipairs(appends) do
      local topic = append[2][4]
      if runs[topic] == nil then
        runs[topic] = false
        found[#found + 1] = topic
      end
    end
    noteOverage(found)
    local upTo = offsetOf(appends[#appends])
    for _, append in ipairs(appends) do
      local topic, last = append[2][4], offsetOf(append)
      local run = runs[topic]
      if not run then
        -- One more than the append has, so that the read also tells whether there are others.
        local count = last - tonumber(append[2][2]) + 1
        run = entriesOf(topic, from, upTo, true, math.min(128, math.max(count, math.floor(128 / #found))))
        runs[topic] = run
      end
      while run.entry and run.offset <= last do
        if take(topic, run.offset, run.entry) == false then return end
        step(run)
      end
    end
    from = upTo
  until isCut
end

if isAll then
  local first = firstAfter(live, 0)
  begin = math.max(first and tonumber(first[2][2]) or head, lastBefore(live, now - maxAge))
  removed = { math.max(trimmed, begin) }
else
  removed = survey(topics, now, maxAge)
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
 * ARGV: now, the age limit of topics that have none of their own; `cursor`, epoch and offset, or `last` or `since` and a number; the topics.
 * Answers the offset of the first event to read and its epoch. The offset is 0 when there is no such event, or the cursor is valid.
 */
export const locateScript = `${lookBack}
local now, maxAge, kind = tonumber(ARGV[5]), tonumber(ARGV[6]), ARGV[7]
local topics = { unpack(ARGV, kind == 'cursor' and 10 or 9) }
local removed = survey(topics, now, maxAge)

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
  reason = reasonOf(ARGV[8], tonumber(ARGV[9]))
  if reason ~= '' then first = firstKept(function () return 0 end) end
elseif kind == 'since' then
  first = firstKept(function (topic) return lastBefore(keyOf(topic), tonumber(ARGV[8])) end)
else
  local left = tonumber(ARGV[8])
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
