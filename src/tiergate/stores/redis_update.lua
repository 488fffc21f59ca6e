-- Write documents if none of those that were seen has changed since.
--
-- KEYS[1]  hash: the documents' bodies by key
-- KEYS[2]  sorted set: their keys, all with score 0, so that they are in the order of their bytes
-- ARGV     how many were seen; for each: its key, '1' or '0' (there or not), its body;
--          then for each to write: its key, '1' or '0' (keep or delete), its body
--
-- Returns nil when all is written; otherwise the bodies as they are now, and nothing is written.

local seen = tonumber(ARGV[1])
local now, changed = {}, false
for i = 1, seen do
    local key, there, body = ARGV[3 * i - 1], ARGV[3 * i] == '1', ARGV[3 * i + 1]
    now[i] = redis.call('HGET', KEYS[1], key)
    if now[i] ~= (there and body) then
        changed = true
    end
end
if changed then
    return now
end
for i = 3 * seen + 2, #ARGV, 3 do
    local key, keep, body = ARGV[i], ARGV[i + 1] == '1', ARGV[i + 2]
    if keep then
        redis.call('HSET', KEYS[1], key, body)
        redis.call('ZADD', KEYS[2], 0, key)
    else
        redis.call('HDEL', KEYS[1], key)
        redis.call('ZREM', KEYS[2], key)
    end
end
return false
