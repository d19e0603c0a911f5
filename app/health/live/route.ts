/** `GET /health/live`: the process answers. What it depends on is none of this answer's business: a restart would not mend it. */
export function GET(): Response {
  return Response.json({ status: 'live' }, { headers: { 'Cache-Control': 'no-store' } })
}
