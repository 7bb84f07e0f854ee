-- Counts a request in every window of a token, or in none where one of them is full.
--
-- KEYS: the counter of each window. ARGV: for each of them the limit, and the window's length in milliseconds.
-- Returns 1 where the request was counted, else 0; the time in milliseconds; and for each window what is used of it
-- and in how many milliseconds it ends. A window that has not begun would end in its whole length.

local states, counted = {}, 1
for i, key in ipairs(KEYS) do
    local limit, length = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
    local used, left = tonumber(redis.call("GET", key) or 0), redis.call("PTTL", key)
    -- Below 0: there is no counter, or somebody took its end away.
    if left < 0 then
        used, left = 0, length
    end
    if used >= limit then
        counted = 0
    end
    states[i] = {used, left}
end

if counted == 1 then
    for i, key in ipairs(KEYS) do
        if states[i][1] == 0 then
            redis.call("SET", key, 1, "PX", ARGV[2 * i])
        else
            redis.call("INCR", key)
        end
        states[i][1] = states[i][1] + 1
    end
end

local time = redis.call("TIME")
return {counted, time[1] * 1000 + math.floor(time[2] / 1000), unpack(states)}
