/** The code with which every script of the log begins. */

/** The only key passed to the scripts. They build the names of the others themselves. */
export const logKey = '{sse}:log'
export const liveKey = '{sse}:live'

/** A process that finds another format can't use the log. */
export const formatVersion = '2'
/** The first word of the error that a script returns for another format. */
export const otherFormat = 'FORMAT'

/**
 * ARGV: the epoch, head and token that the caller saw last, and a new epoch to use if one is needed. When the log is not the one
 * that the caller saw (for example, it was restored from a backup), offsets may be assigned twice. If Redis has restarted since,
 * this happens from the current head on, so a term begins here. Otherwise it is unknown from which offset on, so the current term
 * gets another epoch.
 */
export const prelude = `
local stateKey, terms, termOf = '{sse}:state', '{sse}:terms', '{sse}:term'
local live, trimmedOf = '${liveKey}', '{sse}:trimmed'
local ages, ownAges, ageLimits = '{sse}:ages', '{sse}:own-ages', '{sse}:age-limits'

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
  -- Format 1: this key is a hash, and there are no terms yet.
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

-- Ordered by offset and also by time. Events up to an offset have at most the cap's time: see setTimesBack.
local caps = {}
for offset, at in string.gmatch(state[9] or '', '(%d+):(%d+)') do
  caps[#caps + 1] = { offset = tonumber(offset), time = tonumber(at) }
end

-- The time is field 3 both of events (type, data, time) and of appends in the live stream (after, topic, time, token).
local function timeOf(entry)
  local at = tonumber(entry[2][6])
  for _, cap in ipairs(caps) do
    if cap.offset >= offsetOf(entry) then return math.min(at, cap.time) end
  end
  return at
end

-- Identifies the Redis process. After a restart, the new process may have lost writes of the old one.
local runNow
local function runOfRedis()
  runNow = runNow or string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
  return runNow
end

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

-- The epoch of the term in which an offset was assigned.
local function epochAt(offset)
  local entry = offset > 0 and redis.call('XREVRANGE', terms, digits(offset - 1), '-', 'COUNT', 1)[1]
  -- Offsets before the oldest known term get the epoch of that term.
  entry = entry or redis.call('XRANGE', terms, '-', '+', 'COUNT', 1)[1]
  return entry[2][2]
end
`
