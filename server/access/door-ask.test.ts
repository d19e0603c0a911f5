import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { fromWeb } from '@/server/routes/web-request'
import { journal } from '@/server/observe/journal'
import type { Refusal } from '@/server/refusal'
import type { Authorizer } from './authorize'
import { createDoorAsk, LeftToNext } from './door-ask'

const outside = new Error('`cookies` was called outside a request scope.')

/** Works behind the door alone, as `cookies()` does. */
let isBehind = false
const byCookies: Authorizer = () => {
  if (!isBehind) throw outside
  return { subject: 'ana' }
}

/** One request after another, each first at the door and then behind it. */
function doorFor(authorizer: Authorizer): {
  request: () => Promise<'at the door' | 'behind the door' | Refusal>
  giveUp: ReturnType<typeof vi.fn<(reason: string) => void>>
} {
  let left: string | undefined
  const giveUp = vi.fn<(reason: string) => void>()
  const memory = { leave: (reason: string) => void (left = reason), reasonLeft: () => left }
  const { atDoor, behindDoor } = createDoorAsk(memory, giveUp)
  const asked = fromWeb(new Request('http://localhost/events/private'))
  return {
    giveUp,
    async request() {
      left = undefined
      isBehind = false
      try {
        await atDoor(authorizer, asked, ['private'])
        return 'at the door'
      } catch (error) {
        if (!(error instanceof LeftToNext)) throw error
      }
      isBehind = true
      try {
        await behindDoor(authorizer, asked, ['private'])
        return 'behind the door'
      } catch (error) {
        return error as Refusal
      }
    },
  }
}

beforeEach(() => {
  vi.spyOn(journal, 'error').mockImplementation(() => {})
})

afterEach(() => void vi.restoreAllMocks())

describe('authorize at the front door', () => {
  test('grants there what it can, and is not asked again', async () => {
    const authorizer = vi.fn<Authorizer>(() => true)

    expect(await doorFor(authorizer).request()).toBe('at the door')

    expect(authorizer).toHaveBeenCalledOnce()
  })

  test.each([
    ['false', () => false, 403],
    ['nobody', () => ({ subject: undefined }), 401],
    ['a Response', () => new Response() as unknown as boolean, 500],
    ['an error', () => Promise.reject(new Error('no database, at the door')), 503],
  ])('refuses nothing there: %s is for Next to repeat', async (_, authorizer, status) => {
    const { request, giveUp } = doorFor(authorizer)

    for (let n = 0; n < 5; n++) expect(await request()).toMatchObject({ status })

    expect(giveUp).not.toHaveBeenCalled()
    // Behind the door, and not a second time.
    expect(vi.mocked(journal.error).mock.calls.length).toBe(status < 500 ? 0 : 1)
  })

  test('gives the door up when three grants in a row came from behind it, and says why', async () => {
    const { request, giveUp } = doorFor(byCookies)

    for (const calls of [0, 0, 1, 1]) {
      expect(await request()).toBe('behind the door')
      expect(giveUp).toHaveBeenCalledTimes(calls)
    }

    expect(giveUp).toHaveBeenCalledWith(
      '`authorize` granted 3 requests there that it could not grant here. Of the last one it said here: `cookies` was called outside a request scope.',
    )
    expect(journal.error).not.toHaveBeenCalled()
  })

  test('keeps the door while it grants there now and then', async () => {
    let count = 0
    const { request, giveUp } = doorFor((asked) => count++ % 5 === 4 || byCookies(asked))

    for (let n = 0; n < 20; n++) await request()

    expect(giveUp).not.toHaveBeenCalled()
  })
})
