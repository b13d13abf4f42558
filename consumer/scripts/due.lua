-- Users to look at: those whose time has come, the earliest first, then those that a new major
-- model version has queued (score 0).
-- KEYS: meta, due    ARGV: expected meta, as-of ms, limit of both together, limit of the queued ones
-- Returns: false, or {user, score, user, score, ...,
--          score of the first one whose time has not come, or '', how many stay queued}
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
local limit = tonumber(ARGV[3])
local found = redis.call(
  'ZRANGE', KEYS[2], '(0', ARGV[2], 'BYSCORE', 'LIMIT', 0, limit, 'WITHSCORES')
local timed = #found / 2
local queued = redis.call('ZCOUNT', KEYS[2], '-inf', '0')
local following = redis.call('ZRANGE', KEYS[2], queued + timed, queued + timed, 'WITHSCORES')
local taken = math.min(queued, limit - timed, tonumber(ARGV[4]))
if taken > 0 then
  for _, one in ipairs(redis.call('ZRANGE', KEYS[2], 0, taken - 1, 'WITHSCORES')) do
    found[#found + 1] = one
  end
end
found[#found + 1] = following[2] or ''
found[#found + 1] = queued - taken
return found
