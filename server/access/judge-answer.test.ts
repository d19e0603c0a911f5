import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { judgeAnswer } from './judge-answer'

const soon = Date.now() + 60_000

describe('judgeAnswer grants', () => {
  test.each([
    [true, {}],
    [{ subject: 'ana' }, { subject: 'ana' }],
    [
      { subject: 'ana', sessionKey: 's1' },
      { subject: 'ana', sessionKey: 's1' },
    ],
    [{ sessionKey: 's1' }, { sessionKey: 's1' }],
    [{ subject: 'ana', sessionKey: undefined, until: undefined }, { subject: 'ana' }],
    [
      { subject: 'ana', until: soon },
      { subject: 'ana', expiresAtMs: soon },
    ],
    [{ until: new Date(soon) }, { expiresAtMs: soon }],
    [Object.assign(Object.create(null), { subject: 'ana' }), { subject: 'ana' }],
    [runInNewContext(`({ until: new Date(${soon}) })`), { expiresAtMs: soon }],
  ])('%o', (answer, granted) => {
    const nothing = { subject: undefined, sessionKey: undefined, expiresAtMs: undefined }

    expect(judgeAnswer(answer)).toEqual({ granted: { ...nothing, ...granted } })
  })
})

describe('judgeAnswer refuses', () => {
  test.each([
    [false, 'not-granted'],
    [{ subject: undefined }, 'login-required'],
    [{ subject: null }, 'login-required'],
    [{ subject: '' }, 'login-required'],
    [{ subject: undefined, sessionKey: 's1', until: soon }, 'login-required'],
    [{ subject: 'ana', until: Date.now() - 1 }, 'login-required'],
    [{ subject: 'ana', until: new Date(Date.now() - 1) }, 'login-required'],
  ])('%o: %s', (answer, refused) => {
    expect(judgeAnswer(answer)).toEqual({ refused })
  })
})

class User {
  subject = 'ana'
}

describe('judgeAnswer takes nothing else for a grant, and tells no value of it', () => {
  test.each([
    [undefined, 'undefined'],
    [null, 'null'],
    ['', 'an empty string'],
    ['secret', 'a string'],
    [1, 'a number'],
    [() => true, 'a function'],
    [new Response(null, { status: 200 }), 'an instance of Response'],
    [new User(), 'an instance of User'],
    [['ana'], 'an instance of Array'],
    [Promise.resolve(true), 'an instance of Promise'],
    [{}, 'an empty object'],
    [{ id: 'secret', name: 'ana' }, 'an object with id, name'],
    [{ subject: 'ana', role: 'admin' }, 'an object with role'],
    [{ subject: 'ana', [Symbol('mark')]: 1 }, 'an object with Symbol(mark)'],
    [{ subject: 42 }, 'an object whose subject is a number'],
    [{ subject: 'ana', sessionKey: '' }, 'an object whose sessionKey is an empty string'],
    [{ subject: 'ana', sessionKey: null }, 'an object whose sessionKey is null'],
  ])('%o: %s', (answer, fault) => {
    expect(judgeAnswer(answer)).toEqual({ fault })
  })
})

test.each([null, Number.NaN, new Date('never'), '2099-01-01', 4_102_444_800])(
  'judgeAnswer takes %o for no time',
  (until) => {
    const fault = 'an object whose until is neither a Date nor milliseconds since 1970'

    expect(judgeAnswer({ subject: 'ana', until })).toEqual({ fault })
  },
)
