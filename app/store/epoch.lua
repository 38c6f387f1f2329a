-- Begin a new epoch, once: revisions were lost, so whatever was read since must be read again.
--
-- KEYS[1] epoch   counter: how often the revision was seen to go backwards
-- ARGV[1] seen    the epoch in which that was noticed
--
-- Returns the epoch that now holds. Several readers may notice the same loss; only the first one's call counts.

local now = tonumber(redis.call('GET', KEYS[1]) or '0')
if now == tonumber(ARGV[1]) then
  return redis.call('INCR', KEYS[1])
end
return now
