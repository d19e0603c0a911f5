// @vitest-environment jsdom
import { renderToStaticMarkup } from 'react-dom/server'
import type { ChatConnection } from 'next-sse/ai/react'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { ChatMessages } from './chat-messages'

afterEach(() => {
  vi.restoreAllMocks()
})

/** What stands under the messages. */
function stateOf(change: Partial<ChatConnection>, error?: Error): string {
  const html = renderToStaticMarkup(
    <ChatMessages
      messages={[]}
      isBusy={!error}
      isStarting={false}
      error={error}
      connection={{
        status: 'open',
        attempt: 0,
        retryAt: undefined,
        error: undefined,
        ...change,
      }}
      onRegenerate={() => {}}
    />,
  )
  const [, state = ''] = /<output>(.*)<\/output>/.exec(html) ?? []
  return state.replaceAll(/<svg.*?<\/svg>|<[^>]+>/g, '')
}

describe('what a chat says while an answer is written', () => {
  test('with a connection, and while a hidden page has none: that it is written', () => {
    for (const status of ['open', 'idle', 'connecting'] as const) {
      expect(stateOf({ status })).toBe('Writing…')
    }
    // The server has asked its readers to come back.
    expect(stateOf({ status: 'reconnecting' })).toBe('Writing…')
  })

  test('without a server: when it is asked again, and nothing of the answer', () => {
    const retryAt = Date.now() + 60_000

    expect(stateOf({ status: 'reconnecting', attempt: 2, retryAt })).toMatch(
      /^Reconnecting .*\(attempt 2\)$/,
    )
    expect(stateOf({ status: 'connecting', attempt: 2 })).toBe('Reconnecting (attempt 2)')
  })

  test('without a network: that it is paused', () => {
    vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(false)

    expect(stateOf({ status: 'paused', attempt: 1 })).toBe('Paused (offline)')
  })

  test('when the server refuses: why', () => {
    const error = { kind: 'refused', message: '', status: 401 } as const

    expect(stateOf({ status: 'failed', error })).toBe('Refused (sign in first)')
  })

  test('when a message found no server: so, and when it is asked again', () => {
    const error = new TypeError('Failed to fetch')

    expect(stateOf({ status: 'reconnecting', attempt: 1 }, error)).toBe(
      'The server did not answer.Reconnecting (attempt 1)',
    )
    expect(stateOf({}, error)).toBe('The server did not answer.')
  })
})
