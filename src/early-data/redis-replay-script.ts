/**
 * What Redis does about one ClientHello, in one atomic step: is its record whole, is the hello in time by the one clock that all servers
 * share, and is its binder new?
 *
 * `KEYS`: the record's own entry, the binder. `ARGV`: when the hello expires, and how long binders are kept, milliseconds.
 *
 * The record's own entry says which run of which Redis has kept it and how much that had evicted, when it began, and the latest time that
 * the clock has shown. Where it is gone, says something else, or lies in the future, binders may have been forgotten, and a new record
 * begins.
 */
export const redisReplayScript = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
  .. '/' .. string.match(redis.call('INFO', 'stats'), 'evicted_keys:(%d+)')
local of, began, latest = string.match(redis.call('GET', KEYS[1]) or '', '^(%S+) (%d+) (%d+)$')
if of ~= run or now < tonumber(latest) then
  began, latest = now, 0
end
if now - latest >= 1000 then
  redis.call('SET', KEYS[1], string.format('%s %.0f %.0f', run, began, now))
end
local expires, kept = tonumber(ARGV[1]), tonumber(ARGV[2])
if now - began < kept or not (expires > now and expires <= now + kept) then
  return 'not_checked'
end
if redis.call('SET', KEYS[2], '', 'NX', 'PX', kept) then
  return 'fresh'
end
return 'replayed'
`;

/** SHA-1 of the script, by which Redis calls it. */
export const redisReplayScriptName = '0357855655732c123f8c9f4c526f21d0d7909241';
