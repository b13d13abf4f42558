-- Read users' states, only if the partition is still as this worker wrote it last.
-- KEYS: meta    ARGV: expected meta, packed list of keys (lengths, bytes)
-- Returns: false, or the list of values
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
local values, at = {}, 1
local keys = {}
for i = 1, #ARGV[2] / 4 do
  local bytes = struct.unpack('<I4', ARGV[2], 4 * i - 3)
  keys[i] = string.sub(ARGV[3], at, at + bytes - 1)
  at = at + bytes
end
for first = 1, #keys, 4000 do  -- unpack() is bounded by Lua's stack
  local last = math.min(first + 3999, #keys)
  local found = redis.call('MGET', unpack(keys, first, last))
  for i = 1, #found do values[first + i - 1] = found[i] end
end
return values
