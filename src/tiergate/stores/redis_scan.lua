-- Return some documents in the order of their keys: key, body, key, body, ...
--
-- KEYS     as in redis_update.lua
-- ARGV     the lowest key, the highest key (both as ZRANGEBYLEX takes them), how many at most

local found = {}
for i, key in ipairs(redis.call('ZRANGEBYLEX', KEYS[2], ARGV[1], ARGV[2], 'LIMIT', 0, ARGV[3])) do
    found[2 * i - 1] = key
    found[2 * i] = redis.call('HGET', KEYS[1], key) or ''
end
return found
