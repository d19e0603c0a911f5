/** Access by the app's own functions, which are asked once a request. Tokens count for nothing then. */
import { Refusal } from '@/server/refusal'
import { journal } from '@/server/observe/journal'
import type { AskedRequest } from '@/server/sse-request'
import type { Access, Topics } from './access'
import { readAuthorize, type AccessQuestion, type Authorize, type Authorizer } from './authorize'
import { judgeAnswer, type Granted } from './judge-answer'
import { readerNamed } from './reader-of'

/** How long an answer may take. */
const patienceMs = 10_000

export function ownAccess(authorize: Authorize, publicTopics: readonly string[]): Access {
  const { read, publish } = readAuthorize(authorize)
  return {
    publicTopics,
    async read(request, topics) {
      if (!read) throw closed(`Nobody may read ${topics[0]} over HTTP`, 'read')
      const { subject, sessionKey, expiresAtMs } = await ask(read, request, topics)
      const reader = readerNamed(sessionKey ?? subject ?? '')
      return { reader, subject, sessionKey, expiresAtMs, isPublic: false }
    },
    async publish(request, topic) {
      if (!publish) throw closed('Nobody may publish over HTTP', 'publish')
      const { subject } = await ask(publish, request, [topic])
      return { subject, isCounted: true }
    },
  }
}

function closed(detail: string, action: string): Refusal {
  return new Refusal(
    'not-granted',
    `${detail}: on the server, createSse has no authorize.${action}.`,
  )
}

/** @throws {Refusal} */
async function ask(
  authorizer: Authorizer,
  request: AskedRequest,
  topics: Topics,
): Promise<Granted> {
  let made: Request | undefined
  const asked = {
    topics,
    get request() {
      return (made ??= request.toRequest())
    },
  }
  const verdict = judgeAnswer(await answerInTime(authorizer, asked))
  if ('granted' in verdict) return verdict.granted
  if ('refused' in verdict) {
    throw verdict.refused === 'login-required'
      ? new Refusal('login-required', 'Log in first.')
      : new Refusal('not-granted', `You may not do this with ${topics.join(', ')}.`)
  }
  complain(
    `\`authorize\` must answer true, false, or an object of subject, sessionKey and until. It answered ${verdict.fault}, and nothing was granted.`,
  )
  throw new Refusal('access-error', 'The server could not decide whether you may.')
}

/** @throws {Refusal} it threw, or did not answer in time */
async function answerInTime(authorizer: Authorizer, asked: AccessQuestion): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('It did not answer in 10 s.')), patienceMs)
  })
  try {
    return await Promise.race([authorizer(asked), late])
  } catch (error) {
    if (error instanceof Refusal) throw error
    complain('`authorize` failed, and nothing was granted.', error)
    const detail = 'The server can’t decide now whether you may. Try again.'
    throw new Refusal('unavailable', detail, { 'Retry-After': '5' })
  } finally {
    clearTimeout(timer)
  }
}

/** What is repeated is not told again for so long: every request of a broken app would tell it. */
const repeatAfterMs = 60_000
let lastComplaint = { text: '', at: -Infinity }

function complain(text: string, error?: unknown): void {
  const whole = error instanceof Error ? `${text} ${error.message}` : text
  const now = performance.now()
  if (whole === lastComplaint.text && now < lastComplaint.at + repeatAfterMs) return
  lastComplaint = { text: whole, at: now }
  journal.error({ err: error }, text)
}
