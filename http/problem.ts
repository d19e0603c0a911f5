/**
 * Refusals as problem details.
 * @see https://www.rfc-editor.org/rfc/rfc9457
 */

/** Why a request was refused, for programs: stable, and documented in docs/protocol.md. */
export type ProblemCode = 'invalid-cursor'

export interface Problem {
  status: number
  code: ProblemCode
  /** A short summary, the same for every occurrence. */
  title: string
  /** What is wrong with this request, and how to mend it. */
  detail: string
}

export function problemResponse(problem: Problem): Response {
  return Response.json(problem, {
    status: problem.status,
    headers: {
      'Content-Type': 'application/problem+json',
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
    },
  })
}
