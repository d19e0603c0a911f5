/** Access by the app's own functions, which are asked once a request. Tokens count for nothing then. */
import { Refusal } from '@/server/refusal'
import { journal } from '@/server/observe/journal'
import type { AskedRequest } from '@/server/sse-request'
import type { Access, Topics } from './access'
import {
  readAuthorize,
  type AccessQuestion,
  type Authorize,
  type Authorizer,
  type OpenGrant,
  type Revalidate,
} from './authorize'
import { clientOf } from './client-address'
import { judgeAnswer, type Granted } from './judge-answer'
import { readerNamed } from './reader-of'
import { createSessionKeyWatch } from './session-key-watch'
import { isVouched } from './vouched'

/** How long an answer may take. */
const patienceMs = 10_000

export interface OwnRules {
  authorize: Authorize
  /** A grant is confirmed, or ends, after this long at most, in milliseconds. */
  recheckMs: number
  /** Confirms a grant. Undefined: none is. */
  revalidate: Revalidate | undefined
}

/** Of the configuration. */
interface OwnSettings {
  publicTopics: readonly string[]
  trustedProxies: number
}

export function ownAccess(
  { authorize, recheckMs, revalidate }: OwnRules,
  { publicTopics, trustedProxies }: OwnSettings,
): Access {
  const { read, publish } = readAuthorize(authorize)
  // Written out, because Next replaces it in a build.
  const watchSessionKey =
    process.env.NODE_ENV === 'production' ? undefined : createSessionKeyWatch(warnOfChanges)
  return {
    publicTopics,
    recheck: { everyMs: recheckMs, confirm: revalidate && ((grant) => confirm(revalidate, grant)) },
    async read(request, topics) {
      if (!read) throw closed(`Nobody may read ${topics[0]} over HTTP`, 'read')
      const { subject, sessionKey, expiresAtMs } = await ask(read, request, topics)
      if (sessionKey !== undefined) {
        watchSessionKey?.(`${clientOf(request, trustedProxies)} ${subject}`, sessionKey)
      }
      const reader = readerNamed(sessionKey ?? subject ?? '')
      return { reader, subject, sessionKey, expiresAtMs, isPublic: false }
    },
    async publish(request, topic) {
      if (!publish) throw closed('Nobody may publish over HTTP', 'publish')
      const { subject, byToken } = await ask(publish, request, [topic])
      return { subject, isCounted: !byToken }
    },
  }
}

function warnOfChanges(): void {
  journal.warn(
    '`authorize` gave another sessionKey at each of the last three requests of one client. Each then counts as another reader, and pages stop. Give the id of the session: it stays the same while the login lasts.',
  )
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
): Promise<Granted & { byToken: boolean }> {
  let made: Request | undefined
  const asked = {
    topics,
    get request() {
      return (made ??= request.toRequest())
    },
  }
  const answer = await answerOrRefuse(authorizer, asked)
  const verdict = judgeAnswer(answer)
  if ('granted' in verdict) return { ...verdict.granted, byToken: isVouched(answer) }
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
async function answerOrRefuse(authorizer: Authorizer, asked: AccessQuestion): Promise<unknown> {
  try {
    return await inTime(() => authorizer(asked))
  } catch (error) {
    if (error instanceof Refusal) throw error
    complain('`authorize` failed, and nothing was granted.', error)
    const detail = 'The server can’t decide now whether you may. Try again.'
    throw new Refusal('unavailable', detail, { 'Retry-After': '5' })
  }
}

/** Whether a grant still holds. What goes wrong is told in the journal, and counts as no. */
async function confirm(revalidate: Revalidate, grant: OpenGrant): Promise<boolean> {
  try {
    const answer: unknown = await inTime(() => revalidate(grant))
    if (typeof answer === 'boolean') return answer
    complain('`revalidate` must answer true or false. Its readers are asked to come back.')
  } catch (error) {
    complain('`revalidate` failed. Its readers are asked to come back.', error)
  }
  return false
}

/** @throws {Error} it threw, or did not answer in time */
async function inTime<T>(asked: () => T | Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('It did not answer in 10 s.')), patienceMs).unref()
  })
  try {
    return await Promise.race([asked(), late])
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
