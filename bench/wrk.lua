-- What wrk sends, and the counts it prints at the end as one line of JSON.
-- The request comes from the environment: BENCH_BODY names the file of the body, BENCH_HEADERS
-- the file of the headers, one `name: value` a line.

wrk.method = "POST"
local body = assert(io.open(os.getenv("BENCH_BODY"), "rb"))
wrk.body = body:read("*a")
body:close()
for line in io.lines(os.getenv("BENCH_HEADERS")) do
  local name, value = line:match("^([^:]+): (.*)$")
  wrk.headers[name] = value
end

function done(summary, _, _)
  local errors = summary.errors
  io.write(string.format(
    'BENCH {"calls":%d,"microseconds":%d,"bytes":%d,"refused":%d,"broken":%d,"late":%d}\n',
    summary.requests, summary.duration, summary.bytes, errors.status,
    errors.connect + errors.read + errors.write, errors.timeout))
end
