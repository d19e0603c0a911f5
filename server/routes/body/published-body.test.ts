import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { UploadAbortedError } from '@/server/sse/sse-request'
import type { Refusal } from '@/server/refusal'
import { readPublishedBody, type PublishedBody, type PublishLimits } from './published-body'
import { fromWeb } from '@/server/routes/web-request'
import { createUploadBudget } from './upload-budget'

const encoder = new TextEncoder()
const uploads = createUploadBudget()

/** Reads the body, and closes the share afterwards, as the route does. */
async function read(
  request: Request,
  limits?: PublishLimits,
): Promise<PublishedBody | { problem: Pick<Refusal, 'status' | 'code'> & { detail: string } }> {
  const share = uploads.open()
  try {
    return await readPublishedBody(fromWeb(request), share, limits)
  } catch (error) {
    if ((error as Error).name !== 'Refusal') throw error
    const { status, code, message, headers } = error as Refusal
    return { problem: { status, code, detail: message }, ...(code === 'busy' && { headers }) }
  } finally {
    share.close()
  }
}

/** A publish whose body arrives in these chunks. `cancel` is called when the rest is refused. */
function arriving(
  chunks: Iterable<Uint8Array>,
  headers: Record<string, string> = {},
  cancel?: () => void,
): Request {
  const iterator = chunks[Symbol.iterator]()
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const { done, value } = iterator.next()
        if (done) controller.close()
        else controller.enqueue(value)
      },
      ...(cancel && { cancel }),
    },
    { highWaterMark: 0 },
  )
  const init = { method: 'POST', headers, body, duplex: 'half' }
  return new Request('http://localhost/events/news', init)
}

function publish(body: string | Uint8Array, type?: string): Request {
  const bytes = typeof body === 'string' ? encoder.encode(body) : body
  return arriving([bytes], type === undefined ? {} : { 'Content-Type': type })
}

/** `bytes` cut at the given places. */
function cut(bytes: Uint8Array, places: number[]): Uint8Array[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length]
  ends.sort((a, b) => a - b)
  return ends.map((end, index) => bytes.slice(ends[index - 1] ?? 0, end))
}

const anyText = fc.string({ unit: 'binary', minLength: 1 }).map((text) => text.toWellFormed())

describe('readPublishedBody', () => {
  test.each([
    undefined,
    'text/plain',
    'TEXT/Plain; Charset="UTF-8"',
    'text/csv;charset=us-ascii',
    'text/x.y+z',
    'application/x-www-form-urlencoded',
  ])('a body of type %s is one event, verbatim', async (type) => {
    const text = '\uFEFFa=1&b=%20+\r\n{ é 🎉\0\n'

    expect(await read(publish(text, type))).toEqual({
      kind: 'text',
      data: [text],
      bytes: encoder.encode(text),
    })
  })

  test.each(['{"a":\n [1, 2]}\n', ' null ', '"🎉"', '1e3', '{"a":1,"a":2}'])(
    'JSON is checked, and published unchanged: %j',
    async (text) => {
      expect(await read(publish(text, 'application/json; charset=utf-8'))).toEqual({
        kind: 'json',
        data: [text],
        bytes: encoder.encode(text),
      })
    },
  )

  test('a byte order mark before JSON is removed', async () => {
    expect(await read(publish('\uFEFF[1]', 'application/json'))).toMatchObject({
      data: ['[1]'],
    })
    expect(await read(publish('\uFEFF[1]\n[2]', 'application/x-ndjson'))).toMatchObject({
      data: ['[1]', '[2]'],
    })
  })

  test('each line of NDJSON is one event', async () => {
    const body = '\n{"a": 1}\r\n \t\n"é"\n\n3'

    expect(await read(publish(body, 'application/x-ndjson'))).toEqual({
      kind: 'ndjson',
      data: ['{"a": 1}', '"é"', '3'],
      bytes: encoder.encode(body),
    })
  })

  test.each([
    ['', undefined, 'empty-body'],
    ['', 'application/json', 'empty-body'],
    ['\uFEFF', 'application/json', 'empty-body'],
    ['', 'application/x-ndjson', 'empty-body'],
    ['\r\n \n', 'application/x-ndjson', 'empty-body'],
    [' ', 'application/json', 'invalid-json'],
    ['{a:1}', 'application/json', 'invalid-json'],
    ['1 2', 'application/json', 'invalid-json'],
    ['{"a":\n1}', 'application/x-ndjson', 'invalid-json'],
  ])('%j of type %s is refused: %s', async (body, type, code) => {
    expect(await read(publish(body, type))).toMatchObject({
      problem: { status: 400, code },
    })
  })

  test('a publish without any body is refused as empty', async () => {
    const request = new Request('http://localhost/events/news', { method: 'POST' })

    expect(await read(request)).toMatchObject({ problem: { code: 'empty-body' } })
  })

  test.each([
    [[0xff], undefined],
    [[0x61, 0xc3], 'text/plain'],
    [[0xed, 0xa0, 0x80], 'text/plain'],
    [[0x22, 0xc0, 0x80, 0x22], 'application/json'],
    [[0x31, 0x0a, 0x22, 0xff, 0x22], 'application/x-ndjson'],
  ])('the bytes %j of type %s are refused: not UTF-8', async (bytes, type) => {
    expect(await read(publish(new Uint8Array(bytes), type))).toMatchObject({
      problem: { status: 400, code: 'invalid-utf8' },
    })
  })

  test.each<Record<string, string>>([
    { 'Content-Type': 'application/octet-stream' },
    { 'Content-Type': 'multipart/form-data; boundary=x' },
    { 'Content-Type': 'application/cloudevents+json' },
    { 'Content-Type': 'text' },
    { 'Content-Type': 'text/' },
    { 'Content-Type': 'text/plain, application/json' },
    { 'Content-Type': 'text/plain; charset=latin1' },
    { 'Content-Type': 'text/plain; charset=utf-16' },
    { 'Content-Type': 'application/json;charset="iso-8859-1"' },
    { 'Content-Type': 'text/plain', 'Content-Encoding': 'gzip' },
  ])('%j is refused before any of the body is read', async (headers) => {
    const request = arriving([encoder.encode('1')], headers)

    const result = await read(request)

    expect(result).toMatchObject({ problem: { status: 415, code: 'unsupported-media-type' } })
    expect(request.bodyUsed).toBe(false)
  })

  test('any text arrives unchanged, however its bytes are split into chunks', async () => {
    await fc.assert(
      fc.asyncProperty(anyText, fc.array(fc.nat()), async (text, places) => {
        const bytes = encoder.encode(text)

        expect(await read(arriving(cut(bytes, places)))).toEqual({
          kind: 'text',
          data: [text],
          bytes,
        })
      }),
    )
  })

  test('any JSON values arrive line by line, however the lines end and the bytes are split', async () => {
    const lines = fc.array(fc.json(), { minLength: 1 })
    const lineEnd = fc.constantFrom('\n', '\r\n', '\n\n', '\n \t\r\n')

    await fc.assert(
      fc.asyncProperty(lines, lineEnd, fc.array(fc.nat()), async (data, end, places) => {
        const bytes = encoder.encode(data.map((line) => line + end).join(''))
        const headers = { 'Content-Type': 'application/x-ndjson' }

        expect(await read(arriving(cut(bytes, places), headers))).toMatchObject({
          data,
        })
      }),
    )
  })

  test('any bytes get the same answer, however they are split', async () => {
    const type = fc.constantFrom('text/plain', 'application/json', 'application/x-ndjson')
    const limits = { eventMaxBytes: 12, bodyMaxBytes: 24, maxEvents: 3 }
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 32 }),
      fc
        .string({ unit: fc.constantFrom('1', '"é"', '\n', '\r', ' '), maxLength: 32 })
        .map((text) => {
          return encoder.encode(text)
        }),
    )

    await fc.assert(
      fc.asyncProperty(bytes, type, fc.array(fc.nat()), async (body, mediaType, places) => {
        const headers = { 'Content-Type': mediaType }

        const whole = await read(arriving([body], headers), limits)
        const inParts = await read(arriving(cut(body, places), headers), limits)

        expect(inParts).toEqual(whole)
      }),
    )
  })
})

describe('the limits of readPublishedBody', () => {
  test.each([undefined, 'application/json'])(
    'an event of type %s can have up to 65,536 bytes',
    async (type) => {
      const longest = `"${'é'.repeat(32_767)}"`

      expect(await read(publish(longest, type))).toMatchObject({ data: [longest] })
      expect(await read(publish(`${longest} `, type))).toMatchObject({
        problem: { status: 413, code: 'event-too-large' },
      })
    },
  )

  test('so can a line of NDJSON', async () => {
    const longest = `"${'é'.repeat(32_767)}"`

    const just = await read(publish(`1\r\n${longest}\r\n2`, 'application/x-ndjson'))
    const more = await read(publish(`1\r\n${longest} \r\n`, 'application/x-ndjson'))

    expect(just).toMatchObject({ data: ['1', longest, '2'] })
    expect(more).toMatchObject({
      problem: {
        status: 413,
        code: 'event-too-large',
        detail: expect.stringContaining('Line 2') as string,
      },
    })
  })

  test('a body can have 10,000 events, and any number of blank lines', async () => {
    const most = '1\n\n'.repeat(10_000)

    const just = await read(publish(`${most}\n`, 'application/x-ndjson'))
    const more = await read(publish(`${most}2`, 'application/x-ndjson'))

    expect(just).toMatchObject({ data: { length: 10_000 } })
    expect(more).toMatchObject({ problem: { status: 413, code: 'too-many-events' } })
  })

  test('one bad line refuses the whole body, and the error names the line', async () => {
    expect(await read(publish('1\n\n2\nx\n3', 'application/x-ndjson'))).toMatchObject({
      problem: { code: 'invalid-json', detail: expect.stringContaining('Line 4') as string },
    })
  })

  test.each([
    ['text/plain', 'event-too-large', 65_536],
    ['application/x-ndjson', 'body-too-large', 8 * 1024 * 1024],
  ])('an endless body of %s is refused while it arrives', async (type, code, maxBytes) => {
    let sent = 0
    function* endless(): Generator<Uint8Array> {
      for (;;) {
        sent += 10_000
        yield encoder.encode('"23456789\n'.repeat(1_000))
      }
    }
    const cancel = vi.fn<() => void>()

    const result = await read(arriving(endless(), { 'Content-Type': type }, cancel))

    expect(result).toMatchObject({ problem: { status: 413, code } })
    expect(cancel).toHaveBeenCalledOnce()
    expect(sent).toBeLessThanOrEqual(maxBytes + 10_000)
  })

  test('an error of cancel does not change the answer', async () => {
    const request = arriving([new Uint8Array(70_000)], {}, () => {
      throw new Error('gone')
    })

    expect(await read(request)).toMatchObject({
      problem: { code: 'event-too-large' },
    })
  })

  test.each([
    ['text/plain', '65537', 'event-too-large'],
    ['application/x-ndjson', '8388609', 'body-too-large'],
    ['application/x-ndjson', '99999999999999999999', 'body-too-large'],
  ])('%s with Content-Length %s is refused before any is read', async (type, length, code) => {
    const request = arriving([], { 'Content-Type': type, 'Content-Length': length })

    const result = await read(request)

    expect(result).toMatchObject({ problem: { status: 413, code } })
    expect(request.bodyUsed).toBe(false)
  })

  test('a body longer than its Content-Length is still limited', async () => {
    const request = arriving([new Uint8Array(70_000)], { 'Content-Length': '5' })

    expect(await read(request)).toMatchObject({ problem: { code: 'event-too-large' } })
  })

  test('limits can be set, and the smaller one applies', async () => {
    const limits = { eventMaxBytes: 5, bodyMaxBytes: 3 }

    expect(await read(publish('123'), limits)).toMatchObject({ data: ['123'] })
    expect(await read(publish('1234'), limits)).toMatchObject({
      problem: { code: 'body-too-large' },
    })
  })
})

describe('a publish whose client goes away', () => {
  test('rejects with UploadAbortedError and the cause', async () => {
    const cause = new Error('aborted')
    function* broken(): Generator<Uint8Array> {
      yield encoder.encode('one')
      throw cause
    }

    const reading = read(arriving(broken()))

    await expect(reading).rejects.toThrow(UploadAbortedError)
    await expect(reading).rejects.toMatchObject({ code: 'upload-aborted', cause })
  })
})

describe('the budget that a body reserves', () => {
  test('grows with the received bytes, in chunks of any size, and not by Content-Length', async () => {
    const budget = createUploadBudget()
    const held: number[] = []
    function* trickling(): Generator<Uint8Array> {
      for (const byte of encoder.encode('x'.repeat(1_000))) {
        yield new Uint8Array([byte])
        held.push(budget.heldBytes)
      }
    }
    const share = budget.open()

    const body = await readPublishedBody(
      fromWeb(arriving(trickling(), { 'Content-Length': '60000' })),
      share,
    )

    expect(body).toMatchObject({ data: ['x'.repeat(1_000)] })
    expect(held[0]).toBeLessThanOrEqual(4)
    expect(Math.max(...held)).toBeLessThanOrEqual(4 * 1_000)
    // The reservation lasts while the event is being published.
    expect(budget.heldBytes).toBeGreaterThanOrEqual(2 * 1_000)
    share.close()
    expect(budget.heldBytes).toBe(0)
  })

  test('with no budget left, a body is refused while it arrives, and the rest is not read', async () => {
    const budget = createUploadBudget({ totalBytes: 300_000, spareBytes: 100_000 })
    function* endless(): Generator<Uint8Array> {
      for (;;) yield encoder.encode('"23456789"\n'.repeat(1_000))
    }
    const cancel = vi.fn<() => void>()
    const share = budget.open()

    const type = { 'Content-Type': 'application/x-ndjson' }
    const reading = readPublishedBody(fromWeb(arriving(endless(), type, cancel)), share)

    await expect(reading).rejects.toMatchObject({
      status: 503,
      code: 'busy',
      headers: { 'Retry-After': '1', Connection: 'close' },
    })
    expect(cancel).toHaveBeenCalledOnce()
    expect(budget.heldBytes).toBeLessThanOrEqual(200_000)
    // A single event still fits.
    const other = budget.open()
    expect(await readPublishedBody(fromWeb(publish('hello')), other)).toMatchObject({
      data: ['hello'],
    })
    share.close()
    other.close()
    expect(budget.heldBytes).toBe(0)
  })
})
