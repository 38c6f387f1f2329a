-- One write: check its preconditions, draw the next revision, store the object, append the log entry.
-- All or nothing, and object and log can never disagree.
--
-- KEYS[1] revision      string: the cluster's revision, a counter without gaps
-- KEYS[2] log           stream: one entry per commit, id "<revision>-0"
-- KEYS[3] objects       hash: key -> "<revision>\n<body>", the objects of one resource
-- KEYS[4] resources     set: resources that have or had an object
-- KEYS[5] bound         hash: node -> "<revision> <batch>", the last bind to each node
-- KEYS[6] claims        hash: claim -> "<resource> <key>", names that one object at a time may hold
-- KEYS[7] running       hash: "<role>|<key>" -> token, work that a worker holds (see work.lua)
-- KEYS[8] namespaces    hash: as KEYS[3], of the namespaces
-- KEYS[9] admitted      hash: "*" or namespace -> revision at which a rule of admission there was last changed;
--                       "charged <namespace>" -> "<revision> <batch>", the last charge to its quotas
--
-- ARGV[1] verb          create | update | delete
-- ARGV[2] resource      e.g. "deployments.apps"
-- ARGV[3] key           "namespace/name" or "name"
-- ARGV[4] expect        revision the stored object must have; "" accepts any (update, delete)
-- ARGV[5] head          body up to where the revision goes
-- ARGV[6] tail          body from there on
-- ARGV[7] actor         who writes
-- ARGV[8] trace         "<trace id> <causing revision>"
-- ARGV[9] at            milliseconds since the epoch
-- ARGV[10] length       entries that the log keeps, about
-- ARGV[11] node         node bound to, or ""
-- ARGV[12] decided      revision of the view on which the bind was decided
-- ARGV[13] batch        of which this write is part
-- ARGV[14] fence        field of KEYS[7], or ""
-- ARGV[15] token        that the field must hold
-- ARGV[16] within       namespace that must be there and not on its way out, or ""
-- ARGV[17] guarded      namespace by whose rules the write was admitted, "*" for the cluster's alone, or ""
-- ARGV[18] admitted     revision of the view on which it was
-- ARGV[19] charged      namespace whose quotas it is charged to, or ""
-- ARGV[20] counted      revision of the view on which the charge was counted
-- ARGV[21] rules        field of KEYS[9] whose rules this write changes, or ""
-- ARGV[22] n            number of claims; they follow, then the releases
--
-- Returns {1, revision}, or {0, why, revision of the stored object, claim}.

local verb, resource, key = ARGV[1], ARGV[2], ARGV[3]

if ARGV[14] ~= '' and redis.call('HGET', KEYS[7], ARGV[14]) ~= ARGV[15] then
  return {0, 'fenced', 0, ''}
end

if ARGV[16] ~= '' then
  local home = redis.call('HGET', KEYS[8], ARGV[16])
  -- The word is looked for first, since decoding costs more; it may stand elsewhere, in an annotation.
  if not home or string.find(home, '"deletionTimestamp"', 1, true)
    and cjson.decode(string.match(home, '\n(.*)$')).metadata.deletionTimestamp then
    return {0, 'namespace', 0, ''}
  end
end

local stored = redis.call('HGET', KEYS[3], key)
local at = 0
if stored then
  at = tonumber(string.match(stored, '^(%d+)'))
end
if verb == 'create' then
  if stored then return {0, 'exists', at, ''} end
else
  if not stored then return {0, 'absent', 0, ''} end
  if ARGV[4] ~= '' and tonumber(ARGV[4]) ~= at then return {0, 'modified', at, ''} end
end

if ARGV[11] ~= '' then
  local last = redis.call('HGET', KEYS[5], ARGV[11])
  if last then
    local revision, batch = string.match(last, '^(%d+) (.*)$')
    if tonumber(revision) > tonumber(ARGV[12]) and batch ~= ARGV[13] then
      return {0, 'bound', at, ''}
    end
  end
end

if ARGV[17] ~= '' then
  local since = tonumber(ARGV[18])
  for _, changed in ipairs(redis.call('HMGET', KEYS[9], '*', ARGV[17])) do
    if changed and tonumber(changed) > since then return {0, 'rules', at, ''} end
  end
  if ARGV[19] ~= '' then
    local last = redis.call('HGET', KEYS[9], 'charged ' .. ARGV[19])
    if last then
      local revision, batch = string.match(last, '^(%d+) (.*)$')
      if tonumber(revision) > tonumber(ARGV[20]) and batch ~= ARGV[13] then return {0, 'charged', at, ''} end
    end
  end
end

local holder = resource .. ' ' .. key
local claims = tonumber(ARGV[22])
for i = 23, 22 + claims do
  local held = redis.call('HGET', KEYS[6], ARGV[i])
  if held and held ~= holder then return {0, 'claimed', at, ARGV[i]} end
end

local revision = redis.call('INCR', KEYS[1])
local body = ARGV[5] .. revision .. ARGV[6]
local operation = 'MODIFIED'
if verb == 'delete' then
  operation = 'DELETED'
  redis.call('HDEL', KEYS[3], key)
  if resource == 'namespaces' then redis.call('HDEL', KEYS[9], key, 'charged ' .. key) end
else
  redis.call('HSET', KEYS[3], key, revision .. '\n' .. body)
  if verb == 'create' then
    operation = 'ADDED'
    if redis.call('HLEN', KEYS[3]) == 1 then redis.call('SADD', KEYS[4], resource) end
  end
end
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[10], revision .. '-0',
  'o', operation, 'r', resource, 'k', key, 'a', ARGV[7], 't', ARGV[8], 'at', ARGV[9], 'b', body)
if ARGV[11] ~= '' then redis.call('HSET', KEYS[5], ARGV[11], revision .. ' ' .. ARGV[13]) end
if ARGV[19] ~= '' then redis.call('HSET', KEYS[9], 'charged ' .. ARGV[19], revision .. ' ' .. ARGV[13]) end
if ARGV[21] ~= '' then redis.call('HSET', KEYS[9], ARGV[21], revision) end
for i = 23, 22 + claims do redis.call('HSET', KEYS[6], ARGV[i], holder) end
for i = 23 + claims, #ARGV do
  if redis.call('HGET', KEYS[6], ARGV[i]) == holder then redis.call('HDEL', KEYS[6], ARGV[i]) end
end
return {1, revision}
