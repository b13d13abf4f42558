-- The one atomic, conditional write of a batch: users, outbox, due and meta change together or not at all.
-- KEYS: meta, outbox, due
-- ARGV: expected meta, new meta, outbox, then four msgpack lists:
--       states to set {key, value, ...}, keys to delete, due entries {ms, user, ...}, due users to drop,
--       and '1' to queue every user at once (a new major model version)
-- Returns: 'done', 'already' (a retry after an unknown outcome), or 'fenced'
local current = redis.call('GET', KEYS[1])
if current == ARGV[2] then return 'already' end
if current ~= ARGV[1] then return 'fenced' end

local function in_chunks(command, key, items)
  for first = 1, #items, 4000 do  -- even, so pairs stay together; unpack() is bounded by Lua's stack
    local last = math.min(first + 3999, #items)
    if key then
      redis.call(command, key, unpack(items, first, last))
    else
      redis.call(command, unpack(items, first, last))
    end
  end
end

in_chunks('MSET', nil, cmsgpack.unpack(ARGV[4]))
in_chunks('DEL', nil, cmsgpack.unpack(ARGV[5]))
in_chunks('ZADD', KEYS[3], cmsgpack.unpack(ARGV[6]))
in_chunks('ZREM', KEYS[3], cmsgpack.unpack(ARGV[7]))
if ARGV[8] == '1' then
  redis.call('ZUNIONSTORE', KEYS[3], 1, KEYS[3], 'WEIGHTS', 0)
end
redis.call('SET', KEYS[2], ARGV[3])
redis.call('SET', KEYS[1], ARGV[2])
return 'done'
