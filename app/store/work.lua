-- The single-flight ledger: a field "<role>|<key>" is queued at most once and run by at most one worker.
-- Each operation is atomic. None of them is the truth about the cluster: losing all of it costs one resync.
--
-- KEYS[1]  queued     zset: field -> when it was last queued or published, seconds since the epoch
-- KEYS[2]  running    hash: field -> token of the worker that runs it (commit.lua fences on it)
-- KEYS[3]  leases     zset: field -> when its worker counts as dead
-- KEYS[4]  again      hash: field -> trace of work that came while it runs
-- KEYS[5]  trace      hash: field -> trace of what is queued or running
-- KEYS[6]  due        zset: field -> when it is to be queued
-- KEYS[7]  due_trace  hash: field -> trace of what is due
-- KEYS[8]  failures   hash: field -> failures in a row
-- KEYS[9]  depth      hash: role -> fields queued
-- KEYS[10] counters   hash: "<role>|<outcome>" -> how often; outcomes are those of `done`, and "expired"
-- KEYS[11] token      counter: the last token given out
-- KEYS[12] resting    zset: field -> until when it is not queued again, because its runs are long
--
-- ARGV[1] operation; ARGV[2] now, seconds since the epoch; then
--   enqueue   (field, trace)*                    returns the fields that are newly queued, to be published
--   schedule  (field, at, trace)*                the earlier time holds; returns nothing
--   take      lease, worker, field*              returns (field, token, trace)* of those now this worker's
--   done      base, cap, (field, token, outcome, delay, jitter, rest)*
--             outcome: processed | failed | retried | released; delay: seconds until it is looked at again,
--             "" for none; jitter: factor on the backoff, at most 1; rest: seconds in which it is not queued
--             again, work that comes meanwhile being due at their end.
--             returns {fields to publish, fields whose token no longer held, earliest time set or ""}
--   sweep     lost_after, limit                  returns {fields to publish, when to sweep next or ""}
--   bury      worker                             ends the leases of a worker that is known to be dead

local queued, running, leases, again, trace = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local due, due_trace, failures, depth, counters, resting = KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[12]
local now = tonumber(ARGV[2])

local function role_of(field)
  return string.sub(field, 1, string.find(field, '|', 1, true) - 1)
end

local function schedule(field, at, cause)
  if redis.call('ZADD', due, 'LT', 'CH', at, field) == 1 then
    redis.call('HSET', due_trace, field, cause)
  end
end

local function put(field, cause)
  if redis.call('HEXISTS', running, field) == 1 then
    redis.call('HSET', again, field, cause)
    return false
  end
  if redis.call('ZSCORE', queued, field) then return false end
  local rested = redis.call('ZSCORE', resting, field)
  if rested and tonumber(rested) > now then
    schedule(field, rested, cause)
    return false
  end
  redis.call('ZADD', queued, now, field)
  redis.call('HSET', trace, field, cause)
  redis.call('HINCRBY', depth, role_of(field), 1)
  return true
end

local function unschedule(field)
  redis.call('ZREM', due, field)
  redis.call('HDEL', due_trace, field)
end

local operations = {}

function operations.enqueue()
  local published = {}
  for i = 3, #ARGV, 2 do
    if put(ARGV[i], ARGV[i + 1]) then published[#published + 1] = ARGV[i] end
  end
  return published
end

function operations.schedule()
  for i = 3, #ARGV, 3 do schedule(ARGV[i], ARGV[i + 1], ARGV[i + 2]) end
  return {}
end

function operations.take()
  local lease, worker, taken = tonumber(ARGV[3]), ARGV[4], {}
  for i = 5, #ARGV do
    local field = ARGV[i]
    -- A message for what is not queued, or runs already, is a double or a latecomer.
    if redis.call('ZREM', queued, field) == 1 then
      redis.call('HINCRBY', depth, role_of(field), -1)
      local token = redis.call('INCR', KEYS[11]) .. '@' .. worker
      redis.call('HSET', running, field, token)
      redis.call('ZADD', leases, now + lease, field)
      -- This run is the look that was due; its plan says anew when the next one is.
      unschedule(field)
      taken[#taken + 1] = field
      taken[#taken + 1] = token
      taken[#taken + 1] = redis.call('HGET', trace, field) or ''
    end
  end
  return taken
end

function operations.done()
  local base, cap = tonumber(ARGV[3]), tonumber(ARGV[4])
  local published, lost, earliest = {}, {}, nil
  for i = 5, #ARGV, 6 do
    local field, token, outcome, delay, jitter = ARGV[i], ARGV[i + 1], ARGV[i + 2], tonumber(ARGV[i + 3]), ARGV[i + 4]
    local rest = tonumber(ARGV[i + 5])
    if redis.call('HGET', running, field) ~= token then
      lost[#lost + 1] = field
    else
      local cause = redis.call('HGET', trace, field) or ''
      local newer = redis.call('HGET', again, field)
      redis.call('HDEL', running, field)
      redis.call('ZREM', leases, field)
      redis.call('HDEL', trace, field)
      redis.call('HDEL', again, field)
      redis.call('HINCRBY', counters, role_of(field) .. '|' .. outcome, 1)
      if outcome == 'processed' then
        redis.call('HDEL', failures, field)
      elseif outcome == 'failed' or outcome == 'retried' then
        local count = redis.call('HINCRBY', failures, field, 1)
        local wait = math.min(cap, base * 2 ^ math.min(count - 1, 40)) * tonumber(jitter)
        if not delay or wait < delay then delay = wait end
      end
      if delay then
        local at = now + delay
        schedule(field, at, cause)
        if not earliest or at < earliest then earliest = at end
      end
      if rest > 0 then
        local at = now + rest
        redis.call('ZADD', resting, at, field)
        if not earliest or at < earliest then earliest = at end
      end
      if outcome == 'released' then newer = newer or cause end
      if newer and put(field, newer) then published[#published + 1] = field end
    end
  end
  return {published, lost, earliest and string.format('%.6f', earliest) or ''}
end

function operations.sweep()
  local lost_after, limit = tonumber(ARGV[3]), tonumber(ARGV[4])
  redis.call('ZREMRANGEBYSCORE', resting, '-inf', now)
  local published = {}
  local dead = redis.call('ZRANGEBYSCORE', leases, '-inf', now, 'LIMIT', 0, limit)
  for _, field in ipairs(dead) do
    local cause = redis.call('HGET', again, field) or redis.call('HGET', trace, field) or ''
    redis.call('HDEL', running, field)
    redis.call('ZREM', leases, field)
    redis.call('HDEL', again, field)
    redis.call('HINCRBY', counters, role_of(field) .. '|expired', 1)
    if put(field, cause) then published[#published + 1] = field end
  end
  -- Not taken for long: its message may be lost. A second one does no harm.
  local stale = redis.call('ZRANGEBYSCORE', queued, '-inf', now - lost_after, 'LIMIT', 0, limit)
  for _, field in ipairs(stale) do
    redis.call('ZADD', queued, now, field)
    published[#published + 1] = field
  end
  local ripe = redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, limit)
  for _, field in ipairs(ripe) do
    local cause = redis.call('HGET', due_trace, field) or ''
    unschedule(field)
    if put(field, cause) then published[#published + 1] = field end
  end
  local next_time = nil
  local function consider(set, later)
    local first = redis.call('ZRANGE', set, 0, 0, 'WITHSCORES')
    if first[2] then
      local at = tonumber(first[2]) + later
      if not next_time or at < next_time then next_time = at end
    end
  end
  consider(leases, 0)
  consider(queued, lost_after)
  consider(due, 0)
  return {published, next_time and string.format('%.6f', next_time) or ''}
end

function operations.bury()
  local held = redis.call('HGETALL', running)
  for i = 1, #held, 2 do
    if string.match(held[i + 1], '^%d+@(.*)$') == ARGV[3] then redis.call('ZADD', leases, now, held[i]) end
  end
  return {}
end

return operations[ARGV[1]]()
