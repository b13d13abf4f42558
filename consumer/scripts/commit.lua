-- The one atomic, conditional write of a batch: users, outbox, due, trend and meta change together or not at all.
-- KEYS: meta, outbox, due, trend
-- ARGV: expected meta, new meta, outbox,
--       '1' to queue every user at once (a new major model version), '2' to leave whoever is queued
--       in the queue, '0' for neither,
--       then six packed lists, each as its lengths and its bytes:
--       states to set {key, value, ...}, keys to delete, due entries {ms, user, ...}, due users to drop,
--       trend fields to set {field, value, ...}, trend fields to drop
-- Returns: 'done', 'already' (a retry after an unknown outcome), or 'fenced'
local current = redis.call('GET', KEYS[1])
if current == ARGV[2] then return 'already' end
if current ~= ARGV[1] then return 'fenced' end

local CHUNK = 4000  -- even, so pairs stay together; unpack() is bounded by Lua's stack

local function each_chunk(lengths, bytes, run)
  local at, items, count = 1, {}, #lengths / 4
  for i = 1, count do
    local size = struct.unpack('<I4', lengths, 4 * i - 3)
    items[#items + 1] = string.sub(bytes, at, at + size - 1)
    at = at + size
    if #items == CHUNK or i == count then
      run(items)
      items = {}
    end
  end
end

each_chunk(ARGV[5], ARGV[6], function(pairs) redis.call('MSET', unpack(pairs)) end)
each_chunk(ARGV[7], ARGV[8], function(keys) redis.call('DEL', unpack(keys)) end)
each_chunk(ARGV[9], ARGV[10], function(entries)
  if ARGV[4] == '2' then
    redis.call('ZADD', KEYS[3], 'LT', unpack(entries))
  else
    redis.call('ZADD', KEYS[3], unpack(entries))
  end
end)
each_chunk(ARGV[11], ARGV[12], function(users) redis.call('ZREM', KEYS[3], unpack(users)) end)
each_chunk(ARGV[13], ARGV[14], function(pairs) redis.call('HSET', KEYS[4], unpack(pairs)) end)
each_chunk(ARGV[15], ARGV[16], function(fields) redis.call('HDEL', KEYS[4], unpack(fields)) end)
if ARGV[4] == '1' then
  redis.call('ZUNIONSTORE', KEYS[3], 1, KEYS[3], 'WEIGHTS', 0)
end
redis.call('SET', KEYS[2], ARGV[3])
redis.call('SET', KEYS[1], ARGV[2])
return 'done'
