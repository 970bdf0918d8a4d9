-- wrk: GET /recs for random users, each connection once in BENCH_EVERY_MS milliseconds on average: a paced load.
local users = tonumber(os.getenv("BENCH_USERS") or "6040")
local every = tonumber(os.getenv("BENCH_EVERY_MS") or "32")
local threads = 0

function setup(thread)
  thread:set("seed", threads)
  threads = threads + 1
end

function init()
  math.randomseed(os.time() + seed)
end

function delay()
  return every > 0 and math.random(0, 2 * every) or 0
end

function request()
  return wrk.format("GET", "/recs?user_id=" .. math.random(1, users) .. "&top=15")
end
