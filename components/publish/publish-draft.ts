/** Publishes what a form has to a topic, and tells how that went. What to say about it is left to publish-note.tsx. */
import { parseJson } from '@/components/ui/json'

export interface Draft {
  /** Empty for `message`. */
  type: string
  data: string
}

export interface Refusal {
  kind: 'refused'
  draft: Draft
  status: number
  /** Why, as the server names it in its problem details; undefined when something before it answered. */
  code: string | undefined
  /** What the server says of it, for people. */
  detail: string | undefined
  retryAfterS: number | undefined
}

export type Outcome = { kind: 'published'; id: string } | Refusal | Unanswered

/** Nobody knows whether the event was published. Publishing again under the same key is safe. */
interface Unanswered {
  kind: 'unanswered'
  /** What something before the server answered in its place. */
  status?: number
}

/** Too long for any server that still works on it. */
const timeoutMs = 30_000

/** Publishing twice under one `key` publishes once. */
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
    const problem = await problemOf(response)
    // A proxy that gave up waiting: the server may have done its work all the same.
    if (status >= 500 && problem.code === undefined) return { kind: 'unanswered', status }
    return {
      kind: 'refused',
      draft,
      status,
      ...problem,
      retryAfterS: Number(response.headers.get('Retry-After')) || undefined,
    }
  } catch {
    // No connection, or it broke before the whole answer was here.
    return { kind: 'unanswered' }
  }
}

/** True when `data` is sent as JSON. */
export function isJson(data: string): boolean {
  return parseJson(data) !== undefined
}

async function problemOf(response: Response): Promise<Pick<Refusal, 'code' | 'detail'>> {
  try {
    const { code, detail } = (await response.json()) as { code?: unknown; detail?: unknown }
    return { code: textOf(code), detail: textOf(detail) }
  } catch {
    // A proxy answers with a page of its own.
    return { code: undefined, detail: undefined }
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
