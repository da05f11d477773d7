"""What is done to the limits in Redis in one step each, as scripts that Redis runs.

An answer can be lost after the command was done. So each script can be sent again: it knows by the token of the call,
or by what stands there, that it was done before, answers the same and changes nothing a second time.

All times are seconds since 1970, and those of the Redis server where a script is given none.
"""

from __future__ import annotations

_NOW = """
local now = tonumber(ARGV[2])
if not now then
    local time = redis.call('TIME')
    now = time[1] + time[2] / 1000000
end
"""

CLAIM_CALL = (
    """
-- KEYS: running calls, calls of the window, calls asked for, count of the day
-- ARGV: token, now or '', day, calls at once, calls per window, its seconds, calls a day, seconds to begin, to keep
local token, day, window = ARGV[1], ARGV[3], tonumber(ARGV[6])
"""
    + _NOW
    + """
-- Who asked and did not begin never heard that it may: that call is not made, and counts nowhere.
for _, lost in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now)) do
    redis.call('ZREM', KEYS[1], lost)
    redis.call('ZREM', KEYS[2], lost)
    redis.call('ZREM', KEYS[3], lost)
    if string.sub(lost, 1, #day) == day then redis.call('DECR', KEYS[4]) end
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', '(' .. string.format('%.6f', now - window))
if redis.call('ZSCORE', KEYS[1], token) then return {'taken'} end
if tonumber(redis.call('GET', KEYS[4]) or 0) >= tonumber(ARGV[7]) then return {'day'} end
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[4]) then return {'at once'} end
if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[5]) then
    local oldest = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
    return {'window', string.format('%.6f', oldest[2] + window - now)}
end
local until_begun = now + ARGV[8]
redis.call('ZADD', KEYS[1], until_begun, token)
redis.call('ZADD', KEYS[2], now, token)
redis.call('ZADD', KEYS[3], until_begun, token)
redis.call('INCR', KEYS[4])
for number = 1, 4 do redis.call('EXPIRE', KEYS[number], ARGV[9]) end
return {'taken'}
"""
)
"""Take a slot, room in the window and a call of the day, all or none; to be begun within some seconds."""

BEGIN_CALL = (
    """
-- KEYS: running calls, calls asked for
-- ARGV: token, now or '', seconds that a call can run
"""
    + _NOW
    + """
if redis.call('ZREM', KEYS[2], ARGV[1]) == 1 then
    redis.call('ZADD', KEYS[1], 'XX', now + ARGV[3], ARGV[1])
end
return redis.call('ZSCORE', KEYS[1], ARGV[1]) and 1 or 0
"""
)
"""Keep what was taken for as long as a call can run; 0 if it was taken back meanwhile."""

COUNT_FURTHER = (
    """
-- KEYS: that these were counted, calls of the window, count of the day
-- ARGV: token, now or '', how many, seconds to keep
"""
    + _NOW
    + """
if redis.call('SET', KEYS[1], 1, 'NX', 'EX', ARGV[4]) then
    for number = 1, ARGV[3] do redis.call('ZADD', KEYS[2], now, ARGV[1] .. ' ' .. number) end
    -- Where the day is not known, the history tells of it.
    if redis.call('EXISTS', KEYS[3]) == 1 then redis.call('INCRBY', KEYS[3], ARGV[3]) end
    for number = 2, 3 do redis.call('EXPIRE', KEYS[number], ARGV[4]) end
end
"""
)
"""Count calls that were made already: in the window and of the day, whatever the limits are."""

ALLOW_FEWER = """
-- KEYS: that it was said, calls at once for now
-- ARGV: calls at once by the settings, seconds for which it is the same news, seconds that it holds
if redis.call('SET', KEYS[1], 1, 'NX', 'EX', ARGV[2]) then
    local most = tonumber(ARGV[1])
    local now = math.min(most, tonumber(redis.call('GET', KEYS[2]) or most))
    redis.call('SET', KEYS[2], math.max(1, math.floor(now / 2)), 'EX', ARGV[3])
end
"""
"""Halve the calls at once for some time, once for calls that were refused together."""

RECOVER = """
-- KEYS: run of the server, count of the day, running calls
-- ARGV: run of the server, now or '', calls begun today, seconds to keep, how long each running call may still run…
""" + (
    _NOW
    + """
local used = redis.call('GET', KEYS[2])
if not used or tonumber(used) < tonumber(ARGV[3]) then redis.call('SET', KEYS[2], ARGV[3]) end
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)
for number = 5 + redis.call('ZCARD', KEYS[3]), #ARGV do
    redis.call('ZADD', KEYS[3], now + ARGV[number], 'begun before the loss ' .. number)
end
for number = 2, 3 do redis.call('EXPIRE', KEYS[number], ARGV[4]) end
redis.call('SET', KEYS[1], ARGV[1])
"""
)
"""Make up for what a Redis has lost. What it has kept, or another has made up for, stays."""
