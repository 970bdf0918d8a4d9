-- wrk: GET /recs for random users. Environment: BENCH_USERS, how many there are, with ids from BENCH_FIRST.
local users = tonumber(os.getenv("BENCH_USERS") or "6040")
local first = tonumber(os.getenv("BENCH_FIRST") or "1")
local top = os.getenv("BENCH_TOP") or "15"
local threads = 0

function setup(thread)
  thread:set("seed", threads)
  threads = threads + 1
end

function init()
  math.randomseed(os.time() + seed)
end

function request()
  return wrk.format("GET", "/recs?user_id=" .. (first + math.random(0, users - 1)) .. "&top=" .. top)
end
