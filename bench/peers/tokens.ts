/** The simulated answers of a model that every server of the part `runs` streams. */

export interface TokenRequest {
  /** What their topics begin with: a run of `resumable-stream` can have its name only once. */
  name: string
  /** How many runs there are: `<name>-0`, `<name>-1`, … */
  runs: number
  /** How many tokens each of them has. */
  tokens: number
  /** When each token is due after the one before, in milliseconds. 0: all of them at once. */
  everyMs: number
  /** How long the run goes on after its last token, in milliseconds. */
  holdMs: number
}

/** The number of the token in its run, and when it was made, by `monotonicUs`. */
export type Token = [number: number, madeAt: number]

export function parseTokenRequest(text: string): TokenRequest {
  return JSON.parse(text) as TokenRequest
}

/** Tokens when they are due: a model does not wait for a server that is late. */
export async function* createTokens(
  { tokens, everyMs, holdMs }: Pick<TokenRequest, 'tokens' | 'everyMs' | 'holdMs'>,
  signal?: AbortSignal,
): AsyncGenerator<Token, void, undefined> {
  const startedAt = performance.now()
  for (let number = 0; number < tokens; number++) {
    const leftMs = startedAt + number * everyMs - performance.now()
    if (leftMs > 0) await wait(leftMs)
    if (signal?.aborted) return
    yield [number, monotonicUs()]
  }
  if (holdMs > 0) await wait(holdMs)
}

// Twelve digits, for ten days.
const originUs = 1e11

/** The machine's monotonic clock, in microseconds: the same for all of its processes. */
export function monotonicUs(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return originUs + ((seconds * 1e6 + Math.floor(nanoseconds / 1_000)) % originUs)
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
