-- What wrk sends: getlabmaster, unless the environment says otherwise. The body is from there, too.
wrk.method = "POST"
wrk.headers["Content-Type"] = "text/xml; charset=utf-8"
wrk.headers["SOAPAction"] = os.getenv("BENCH_ACTION") or '"http://tempuri.org/getlabmaster"'
wrk.headers["Authorization"] = os.getenv("BENCH_AUTHORIZATION")
wrk.body = os.getenv("BENCH_BODY")
local file = os.getenv("BENCH_BODY_FILE")
if file then
  wrk.body = io.open(file, "rb"):read("*a")
end

-- Milliseconds that each connection waits before its next request: a steady, not a full load.
local pause = tonumber(os.getenv("BENCH_PAUSE") or "")
if pause then
  function delay()
    return math.random(0, 2 * pause)
  end
end

-- One line that bench/feeding.py reads; the rest is for people.
function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    "\nFIGURES %d %d %d %d\n",
    summary.requests, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
  io.write(string.format("LATENCY %d %d\n", latency:percentile(50), latency:percentile(99)))
end
