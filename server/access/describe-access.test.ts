import { describe, expect, test } from 'vitest'
import { createTokenCheck } from './checked-tokens'
import { describeAccess } from './describe-access'

const checkToken = createTokenCheck('a secret of at least thirty-two bytes')

describe('describeAccess', () => {
  test.each([
    [
      { checkToken, publicTopics: [], isOpen: false },
      'Reading a topic takes a token, and so does publishing.',
    ],
    [
      { checkToken, publicTopics: ['news', 'orders.*'], isOpen: false },
      'Anyone may read news and orders.*; reading other topics takes a token, and so does publishing.',
    ],
    [
      { checkToken, publicTopics: ['a', '*'], isOpen: false },
      'Anyone may read every topic; publishing takes a token.',
    ],
    [
      { checkToken: undefined, publicTopics: [], isOpen: false },
      'EVENTS_JWT_SECRET is not set: nobody may publish over HTTP, and nobody may read a topic, because PUBLIC_TOPICS names none.',
    ],
    [
      { checkToken: undefined, publicTopics: ['news', 'alerts', 'orders.*'], isOpen: false },
      'EVENTS_JWT_SECRET is not set: nobody may publish over HTTP, and anyone may read news, alerts and orders.*, nobody other topics.',
    ],
    [
      { checkToken: undefined, publicTopics: ['*'], isOpen: false },
      'EVENTS_JWT_SECRET is not set: nobody may publish over HTTP, and anyone may read every topic.',
    ],
    [
      { checkToken: undefined, publicTopics: ['*'], isOpen: true },
      'EVENTS_JWT_SECRET is not set: anyone may publish, and anyone may read every topic.',
    ],
    [
      { checkToken: undefined, publicTopics: ['news'], isOpen: true },
      'EVENTS_JWT_SECRET is not set: anyone may publish, and anyone may read news, nobody other topics.',
    ],
  ])('%j', (rules, line) => {
    expect(describeAccess(rules)).toBe(line)
  })
})
