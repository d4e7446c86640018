-- What wrk sends: getlabmaster, as bench/codec.py has it. The body comes from the environment.
wrk.method = "POST"
wrk.headers["Content-Type"] = "text/xml; charset=utf-8"
wrk.headers["SOAPAction"] = '"http://tempuri.org/getlabmaster"'
wrk.body = os.getenv("BENCH_BODY")

-- One line that bench/host.py reads; the rest is for people.
function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    "\nFIGURES %d %d %d %d\n",
    summary.requests, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
  io.write(string.format("LATENCY %d %d\n", latency:percentile(50), latency:percentile(99)))
end
