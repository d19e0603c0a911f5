/** Asks an app's `authorize` and `revalidate`, which may answer anything, throw, or never answer. */
import { journal } from '@/server/observe/journal'
import { Refusal } from '@/server/refusal'
import type { AskedRequest } from '@/server/sse/sse-request'
import type { Topics } from './access'
import type { AccessQuestion, Authorizer, OpenGrant, Revalidate } from './authorize'
import { judgeAnswer, type Granted } from './judge-answer'
import { isVouched } from './vouched'

export interface GrantedByApp extends Granted {
  /** True when the app has asked for a token, and found one. */
  byToken: boolean
}

/** Tells what is wrong with the app. */
export type Complain = (text: string, error?: unknown) => void

/** How long an answer may take. */
const patienceMs = 10_000

/**
 * What `authorize` grants to this request.
 * @throws {Refusal} nothing
 */
export async function askAuthorize(
  authorizer: Authorizer,
  request: AskedRequest,
  topics: Topics,
  complain: Complain = tellJournal,
): Promise<GrantedByApp> {
  let made: Request | undefined
  const asked = {
    topics,
    get request() {
      return (made ??= request.toRequest())
    },
  }
  const answer = await answerOrRefuse(authorizer, asked, complain)
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

/** Whether `revalidate` says that a grant still holds. What goes wrong is told in the journal, and counts as no. */
export async function askRevalidate(revalidate: Revalidate, grant: OpenGrant): Promise<boolean> {
  try {
    const answer: unknown = await inTime(() => revalidate(grant))
    if (typeof answer === 'boolean') return answer
    tellJournal('`revalidate` must answer true or false. Its readers are asked to come back.')
  } catch (error) {
    tellJournal(
      '`revalidate` failed, and its readers are asked to come back. It runs outside of any request: `cookies()` and `headers()` throw there.',
      error,
    )
  }
  return false
}

/** @throws {Refusal} it threw, or did not answer in time */
async function answerOrRefuse(
  authorizer: Authorizer,
  asked: AccessQuestion,
  complain: Complain,
): Promise<unknown> {
  try {
    return await inTime(() => authorizer(asked))
  } catch (error) {
    if (error instanceof Refusal) throw error
    complain('`authorize` failed, and nothing was granted.', error)
    const detail = 'The server can’t decide now whether you may. Try again.'
    throw new Refusal('unavailable', detail, { 'Retry-After': '5' })
  }
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
let last = { text: '', at: -Infinity }

function tellJournal(text: string, error?: unknown): void {
  const whole = error instanceof Error ? `${text} ${error.message}` : text
  const now = performance.now()
  if (whole === last.text && now < last.at + repeatAfterMs) return
  last = { text: whole, at: now }
  journal.error({ err: error }, text)
}
