-- Users whose time to be looked at has come, with their states, and when the next one is due.
-- KEYS: meta, due    ARGV: expected meta, as-of ms, limit, prefix of user keys
-- Returns: false, or {users, scores, states, score of the first user not returned or ''}
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
local limit = tonumber(ARGV[3])
local found = redis.call('ZRANGE', KEYS[2], '-inf', ARGV[2], 'BYSCORE', 'LIMIT', 0, limit, 'WITHSCORES')
local users, scores, states = {}, {}, {}
for i = 1, #found, 2 do
  users[#users + 1] = found[i]
  scores[#scores + 1] = found[i + 1]
  states[#states + 1] = redis.call('GET', ARGV[4] .. found[i])
end
local after = redis.call('ZRANGE', KEYS[2], #users, #users, 'WITHSCORES')
return {users, scores, states, after[2] or ''}
