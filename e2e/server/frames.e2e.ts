/** One publish, three readers: a browser, the `eventsource` package and a bare parser must agree on every frame. */
import { execFile, spawn, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'
import { EventSource as EventSourcePackage } from 'eventsource'
import type { Page } from 'playwright/test'
import { asPublisher } from '../../test/requests/publisher'
import { readEvents } from '../../test/readers/read-events'
import { expect, test } from '../../test/fixtures/page-test'

interface Frame {
  type: string
  data: string
  lastEventId: string
}

const half = '\u{1F600}\u00e9'.repeat(32 * 1024).slice(0, 24 * 1024)

const nastyData = [
  'one\ntwo',
  'one\rtwo',
  'one\r\ntwo',
  '\n',
  '\r\n\r\n',
  '\n\r',
  '\n\nafter two empty lines\n\n',
  'ends with CR\r',
  ' leads with a space',
  '  with two',
  '\tor a tab',
  ':a comment?',
  ': and another\n: one',
  'data: forged',
  'x\ndata: forged',
  'x\n\nevent: forged\nid: 1\ndata: forged\n\n',
  'id: 1\nretry: 1\n\n',
  'event: end\ndata: {}',
  'NUL \0 in the middle',
  '\0',
  '\uFEFFleads with a byte order mark',
  '\u2028\u2029\u0085\v\f are no line ends',
  '\u{1F468}\u200D\u{1F469}\u200D\u{1F467} and \u{10FFFF}',
  '<script>alert(1)</script>',
  '{"json":"text\\nwith an escape"}',
  ' ',
  half,
  'x'.repeat(64 * 1024),
  '\n'.repeat(1_000),
]

const nastyTypes = [
  'a:b/c',
  'order.paid',
  '_',
  '0',
  '9:00/10:00-11:00',
  '__proto__',
  'constructor',
  'toString',
  'data',
  'id',
  'Message',
  'x'.repeat(128),
]

const published = [
  ...nastyData.map((data) => ({ type: 'message', data })),
  ...nastyTypes.map((type) => ({ type, data: `of type ${type}` })),
  { type: 'message', data: 'the last' },
]
const types = [...new Set(published.map(({ type }) => type))]

/** Line ends arrive as LF: the format knows no others. */
function carried(data: string): string {
  return data.replaceAll(/\r\n|\r/g, '\n')
}

async function publishAll(url: string, topic: string): Promise<Frame[]> {
  const frames: Frame[] = []
  for (const { type, data } of published) {
    const response = await fetch(`${url}/events/${topic}?type=${encodeURIComponent(type)}`, {
      method: 'POST',
      headers: { ...asPublisher, 'content-type': 'text/plain' },
      body: data,
    })
    expect(response.status).toBe(201)
    const { ids } = (await response.json()) as { ids: [string] }
    frames.push({ type, data: carried(data), lastEventId: ids[0] })
  }
  return frames
}

/** What a page gets, by the browser's own EventSource. */
function readInBrowser(page: Page, url: string): Promise<Frame[]> {
  return page.evaluate(
    ({ address, names, count }) =>
      new Promise<Frame[]>((resolve) => {
        const frames: Frame[] = []
        const source = new EventSource(address)
        for (const name of names) {
          source.addEventListener(name, ({ type, data, lastEventId }) => {
            frames.push({ type, data: data as string, lastEventId })
            if (frames.length < count) return
            source.close()
            resolve(frames)
          })
        }
      }),
    { address: url, names: types, count: published.length },
  )
}

function readWithPackage(url: string): Promise<Frame[]> {
  return new Promise((resolve) => {
    const frames: Frame[] = []
    const source = new EventSourcePackage(url)
    for (const name of types) {
      source.addEventListener(name, ({ type, data, lastEventId }) => {
        frames.push({ type, data: data as string, lastEventId })
        if (frames.length < published.length) return
        source.close()
        resolve(frames)
      })
    }
  })
}

async function readWithParser(url: string): Promise<Frame[]> {
  const frames: Frame[] = []
  for await (const { id = '', event = 'message', data } of readEvents(await fetch(url))) {
    if (event === 'connected') continue
    frames.push({ type: event, data, lastEventId: id })
    if (frames.length === published.length) break
  }
  return frames
}

test('Whatever is published, three readers get the same types, data and ids', async ({
  page,
  server,
}) => {
  const expected = await publishAll(server.url, 'frames')
  const url = `${server.url}/events/frames?since=all`
  await page.goto('/')

  const [byBrowser, byPackage, byParser] = await Promise.all([
    readInBrowser(page, url),
    readWithPackage(url),
    readWithParser(url),
  ])

  expect(byParser).toEqual(expected)
  expect(byPackage).toEqual(expected)
  expect(byBrowser).toEqual(expected)
  await page.close()
  await expect.poll(server.openStreams).toBe(0)
})

test('In an envelope, even the line ends arrive as they were published', async ({ server }) => {
  const expected = await publishAll(server.url, 'enveloped')
  const url = `${server.url}/events/enveloped?since=all&envelope=1`

  const frames = await readWithParser(url)

  expect(new Set(frames.map(({ type }) => type))).toEqual(new Set(['message']))
  expect(frames.map(({ lastEventId }) => lastEventId)).toEqual(
    expected.map(({ lastEventId }) => lastEventId),
  )
  const events = frames.map(({ data }) => JSON.parse(data) as { type: string; data: string })
  expect(events.map(({ type, data }) => ({ type, data }))).toEqual(published)
  await expect.poll(server.openStreams).toBe(0)
})

test('curl in one terminal prints what curl in another publishes', async ({ server }) => {
  test.skip(spawnSync('curl', ['--version']).status !== 0, 'There is no curl on this machine.')
  const url = `${server.url}/events/news`
  const listening = spawn('curl', ['-N', url], { stdio: ['ignore', 'pipe', 'ignore'] })
  let printed = ''
  listening.stdout.on('data', (chunk: Buffer) => {
    printed += chunk.toString()
  })
  await expect
    .poll(() => printed)
    .toMatch(/^:\nevent: connected\nretry: \d+\ndata: \{.*\}\nid: .+\n\n$/)

  const { stdout } = await promisify(execFile)('curl', [
    '-H',
    `Authorization: ${asPublisher.authorization}`,
    '-d',
    'hello',
    url,
  ])

  const { ids } = JSON.parse(stdout) as { ids: string[] }
  expect(ids).toHaveLength(1)
  await expect.poll(() => printed).toContain(`\n\ndata: hello\nid: ${ids[0]}\n\n`)
  listening.kill()
  await expect.poll(server.openStreams).toBe(0)
})
