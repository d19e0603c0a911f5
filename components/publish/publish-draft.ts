/** Publishes a draft to a topic and reports the outcome. publish-note.tsx puts the outcome into words. */
import { parseJson } from '@/components/ui/json'

export interface Draft {
  /** Empty means `message`. */
  type: string
  data: string
}

export interface Refusal {
  kind: 'refused'
  draft: Draft
  status: number
  /** The `code` of the server's problem details; undefined when a proxy answered instead. */
  code: string | undefined
  /** The server's explanation for people. */
  detail: string | undefined
  retryAfterS: number | undefined
}

export type Outcome = { kind: 'published'; id: string } | Refusal | Unanswered

/** The event may or may not have been published. Publishing again with the same key is safe. */
interface Unanswered {
  kind: 'unanswered'
  /** The status of a proxy that answered instead of the server. */
  status?: number
}

/** Longer than a working server ever takes. */
const timeoutMs = 30_000

/** Publishing twice with the same `key` publishes once. */
export async function publishDraft(topic: string, draft: Draft, key: string): Promise<Outcome> {
  const query = draft.type === '' ? '' : `?${new URLSearchParams({ type: draft.type }).toString()}`
  try {
    const response = await fetch(`/events/${topic}${query}`, {
      method: 'POST',
      headers: {
        'Content-Type': isJson(draft.data) ? 'application/json' : 'text/plain;charset=UTF-8',
        'Idempotency-Key': key,
      },
      body: draft.data,
      signal: AbortSignal.timeout(timeoutMs),
    })
    if (response.ok) {
      const { ids } = (await response.json()) as { ids: [string] }
      return { kind: 'published', id: ids[0] }
    }
    const { status } = response
    const problem = await readProblem(response)
    // A proxy stopped waiting: the server may still have published the event.
    if (status >= 500 && problem.code === undefined) return { kind: 'unanswered', status }
    return {
      kind: 'refused',
      draft,
      status,
      ...problem,
      retryAfterS: Number(response.headers.get('Retry-After')) || undefined,
    }
  } catch {
    // No connection, or it broke before the whole answer arrived.
    return { kind: 'unanswered' }
  }
}

/** True when `data` is sent as JSON. */
export function isJson(data: string): boolean {
  return parseJson(data) !== undefined
}

async function readProblem(response: Response): Promise<Pick<Refusal, 'code' | 'detail'>> {
  try {
    const { code, detail } = (await response.json()) as { code?: unknown; detail?: unknown }
    return { code: asText(code), detail: asText(detail) }
  } catch {
    // A proxy answered with its own page.
    return { code: undefined, detail: undefined }
  }
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
