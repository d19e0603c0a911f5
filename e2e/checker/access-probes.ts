/** Asks again and again for what it may not have. Every such request must be refused. */
import { createFrameParser } from './frame-parser'
import type { Random } from './random'
import { openTopics, readerToken, secretTopics, sleep } from './setting'

interface Probe {
  path: string
  token: string | undefined
  expected: number
  method: 'GET' | 'POST'
}

export interface AccessProbes {
  counts: { refused: number }
  stop: () => void
}

export function startAccessProbes(
  origins: readonly string[],
  random: Random,
  onLeak: (message: string) => void,
): AccessProbes {
  const counts = { refused: 0 }
  const over = new AbortController()

  function choose(): Probe {
    const [secret, other] = random.sample(secretTopics, 2)
    const open = random.pick(openTopics)
    const token = readerToken([other ?? ''])
    return random.pick<Probe>([
      { path: `${secret}?since=all`, token: undefined, expected: 401, method: 'GET' },
      { path: `${secret}?since=all`, token, expected: 403, method: 'GET' },
      { path: `${open},${secret}?last=10`, token, expected: 403, method: 'GET' },
      { path: open, token: undefined, expected: 401, method: 'POST' },
      { path: open, token, expected: 403, method: 'POST' },
    ])
  }

  async function ask({ path, token, expected, method }: Probe): Promise<void> {
    const answer = await fetch(`${random.pick(origins)}/events/${path}`, {
      method,
      headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }) },
      ...(method === 'POST' && { body: 'of a stranger' }),
      signal: AbortSignal.timeout(3_000),
    })
    if (answer.status === expected) counts.refused++
    // A server that has only just started refuses every publish for a moment.
    else if (answer.status !== 200 && answer.status !== 503)
      onLeak(`${method} ${path} got ${answer.status}, not ${expected}`)
    // A server that can't answer now asks to come back; it does not say whether it would have refused.
    const types: string[] = []
    const feed = createFrameParser(({ type }) => types.push(type))
    feed(await answer.text())
    if (types.some((type) => type !== 'reconnect')) {
      onLeak(`${method} ${path} without the right token got ${types.join(', ')}`)
    }
  }

  async function work(): Promise<void> {
    while (!over.signal.aborted) {
      const probe = choose()
      // No answer at all gives nothing away.
      await ask(probe).catch(() => {})
      await sleep(random.between(500, 1_500))
    }
  }

  void work()
  return {
    counts,
    stop() {
      over.abort()
    },
  }
}
