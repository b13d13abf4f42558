-- Keep the newer of the stored and the given model, whoever comes last.
-- KEYS: model    ARGV: model as JSON, its major, its minor    Returns: 1 if it was stored, else 0
local stored = redis.call('GET', KEYS[1])
if stored then
  local old = cjson.decode(stored)
  local major, minor = tonumber(ARGV[2]), tonumber(ARGV[3])
  if old.major > major or (old.major == major and old.minor >= minor) then return 0 end
end
redis.call('SET', KEYS[1], ARGV[1])
return 1
