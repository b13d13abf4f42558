-- Users whose time to be looked at has come, the earliest first, and when the next one is due.
-- KEYS: meta, due    ARGV: expected meta, as-of ms, limit
-- Returns: false, or {user, score, user, score, ..., score of the first one not returned or ''}
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
local found = redis.call(
  'ZRANGE', KEYS[2], '-inf', ARGV[2], 'BYSCORE', 'LIMIT', 0, tonumber(ARGV[3]), 'WITHSCORES')
local following = redis.call('ZRANGE', KEYS[2], #found / 2, #found / 2, 'WITHSCORES')
found[#found + 1] = following[2] or ''
return found
