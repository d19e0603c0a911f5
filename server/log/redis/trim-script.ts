/** The part of the append script that removes events: those that are too old, and the surplus of a topic. */

/** How far a topic may exceed its limit before it is trimmed. Redis frees stream entries a hundred at a time. */
const lingering = 100

/**
 * `trimAged(budget)` removes events of any topics that are too old, `trimSurplus(budget)` the surplus of the topic of the append.
 * `allAges()` returns the sorted sets of topics by the time of their first event. Needs what the append script reads from ARGV.
 */
export const trimming = `
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
`
