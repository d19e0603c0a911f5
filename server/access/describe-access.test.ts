import { describe, expect, test } from 'vitest'
import { createTokenCheck } from '@/server/access/tokens/checked-tokens'
import { describeAccess, describeAuthorize } from './describe-access'

const checkToken = createTokenCheck({ secret: 'a secret of at least thirty-two bytes' })

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
      'EVENTS_JWT_SECRET is not set: nobody may publish over HTTP, and nobody may read a topic, because PUBLIC_TOPICS names none. With `authorize` in createSse, that decides instead.',
    ],
    [
      { checkToken: undefined, publicTopics: ['news', 'alerts', 'orders.*'], isOpen: false },
      'EVENTS_JWT_SECRET is not set: nobody may publish over HTTP, and anyone may read news, alerts and orders.*, nobody other topics. With `authorize` in createSse, that decides instead.',
    ],
    [
      { checkToken: undefined, publicTopics: ['*'], isOpen: false },
      'EVENTS_JWT_SECRET is not set: nobody may publish over HTTP, and anyone may read every topic. With `authorize` in createSse, that decides instead.',
    ],
    [
      { checkToken: undefined, publicTopics: ['*'], isOpen: true },
      'EVENTS_JWT_SECRET is not set: anyone may publish, and anyone may read every topic. With `authorize` in createSse, that decides instead.',
    ],
    [
      { checkToken: undefined, publicTopics: ['news'], isOpen: true },
      'EVENTS_JWT_SECRET is not set: anyone may publish, and anyone may read news, nobody other topics. With `authorize` in createSse, that decides instead.',
    ],
  ])('%j', (rules, line) => {
    expect(describeAccess(rules)).toBe(line)
  })
})

describe('describeAuthorize', () => {
  const decide = (): boolean => true

  test.each([
    [
      decide,
      [],
      'createSse has `authorize`: `authorize` decides who may read topics, and nobody may publish over HTTP.',
    ],
    [
      { read: decide, publish: decide },
      ['news', 'orders.*'],
      'createSse has `authorize`: anyone may read news and orders.*, `authorize` decides who may read other topics, and `authorize` decides who may publish.',
    ],
    [
      { publish: decide },
      [],
      'createSse has `authorize`: nobody may read topics, and `authorize` decides who may publish.',
    ],
    [
      { publish: decide },
      ['*'],
      'createSse has `authorize`: anyone may read every topic, and `authorize` decides who may publish.',
    ],
  ])('%o, with %j public', (authorize, publicTopics, line) => {
    expect(describeAuthorize(authorize, { publicTopics, acceptsTokens: false })).toBe(line)
  })

  test('says that tokens count only where byToken is asked', () => {
    expect(describeAuthorize(decide, { publicTopics: [], acceptsTokens: true })).toMatch(
      /\. Tokens count only where it asks `byToken`\.$/,
    )
  })
})
