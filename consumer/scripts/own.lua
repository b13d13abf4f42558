-- Take ownership of a partition: write a fresh nonce, keep everything else.
-- From here on every commit of the previous owner is refused, because the value it expects is gone.
-- KEYS: meta, outbox    ARGV: nonce    Returns: {meta as it is now, outbox or ''}
local current = redis.call('GET', KEYS[1])
local body = ''
if current then
  body = string.sub(current, string.find(current, '\n', 1, true) + 1)
end
local meta = ARGV[1] .. '\n' .. body
redis.call('SET', KEYS[1], meta)
return {meta, redis.call('GET', KEYS[2]) or ''}
