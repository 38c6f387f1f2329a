-- The whole state at one revision.
--
-- KEYS[1] revision, KEYS[2] epoch, KEYS[3] resources (see commit.lua)
-- ARGV[1] prefix of the keys that hold a resource's objects; they lie in the slot of KEYS
--
-- Returns {revision, epoch, {resource, {key, "<revision>\n<body>", ...}, resource, ...}}.

local all = {}
for _, resource in ipairs(redis.call('SMEMBERS', KEYS[3])) do
  all[#all + 1] = resource
  all[#all + 1] = redis.call('HGETALL', ARGV[1] .. resource)
end
return {tonumber(redis.call('GET', KEYS[1]) or '0'), tonumber(redis.call('GET', KEYS[2]) or '0'), all}
