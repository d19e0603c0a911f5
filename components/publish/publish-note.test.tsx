import { renderToStaticMarkup } from 'react-dom/server'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { publishDraft } from './publish-draft'
import { PublishNote } from './publish-note'

/** The note after the server, or a proxy, gave this answer. */
async function noteAfter(answer: () => Response): Promise<string> {
  vi.stubGlobal('fetch', async () => answer())
  const outcome = await publishDraft('orders', { type: '', data: 'hello' }, 'key')
  return renderToStaticMarkup(<PublishNote id="note" outcome={outcome} />).replaceAll(
    /<[^>]+>/g,
    '',
  )
}

function problem(status: number, code: string): Response {
  return Response.json({ status, code }, { status })
}

afterEach(() => {
  vi.unstubAllGlobals()
})

describe('the note on how publishing went', () => {
  test.each([
    ['no answer came', () => Promise.reject(new TypeError('Failed to fetch')), 'No answer came.'],
    ['the answer broke off', () => new Response('{"ids":', { status: 201 }), 'No answer came.'],
    [
      'a proxy gave up',
      () => new Response('<h1>504</h1>', { status: 504 }),
      'The server answered 504.',
    ],
  ])('says that the outcome is unknown when %s', async (_, answer, headline) => {
    expect(await noteAfter(answer as () => Response)).toBe(
      `${headline} The event may or may not have been published; publishing again is safe.`,
    )
  })

  test('says that nothing was published when the server refused it', async () => {
    expect(await noteAfter(() => problem(503, 'busy'))).toBe(
      'Not published. The server is busy; try again.',
    )
    expect(await noteAfter(() => problem(403, 'not-granted'))).toBe(
      'Not published. You may not write to this topic.',
    )
  })

  test('names the event when it was published', async () => {
    expect(await noteAfter(() => Response.json({ ids: ['abcd.7'] }, { status: 201 }))).toBe(
      'Published as 7.',
    )
  })
})
