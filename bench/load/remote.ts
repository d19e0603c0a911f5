/** Calls of methods in another process, over Node's channel between a process and its child. */
import { fork } from 'node:child_process'
import { once } from 'node:events'

type Methods<T> = { [K in keyof T]: (options: never) => unknown }

/** The methods of `T`, called from another process. */
export type Remote<T> = {
  [K in keyof T]: T[K] extends (options: infer O) => infer R
    ? (options: O) => Promise<Awaited<R>>
    : never
}

interface Call {
  id: number
  method: string
  options: unknown
}

interface Answer {
  id: number
  result?: unknown
  error?: string
}

/** Answers the calls of the process that started this one, and ends with it. */
export function answerCalls<T extends Methods<T>>(methods: T): void {
  process.on('message', ({ id, method, options }: Call) => {
    const run = methods[method as keyof T] as (options: never) => unknown
    const answer = (content: Omit<Answer, 'id'>): void => {
      process.send?.({ id, ...content } satisfies Answer)
    }
    Promise.resolve(options as never)
      .then(run)
      .then(
        (result) => answer({ result }),
        (error: unknown) =>
          answer({ error: error instanceof Error ? error.message : String(error) }),
      )
  })
  process.on('disconnect', () => process.exit())
}

export interface RemoteProcess<T> {
  methods: Remote<T>
  pid: number
  /** Ends the process at once. */
  stop: () => Promise<void>
}

/** Starts `module`, which calls `answerCalls`. A call is rejected when its method fails, or the process ends. */
export function startRemote<T>(module: string): RemoteProcess<T> {
  const child = fork(module, { execArgv: ['--import', 'tsx'] })
  const exited = once(child, 'exit')
  const ended = new Error('The load generator has ended.')
  const calls = new Map<number, (answer: Omit<Answer, 'id'>) => void>()
  let lastId = 0
  child.on('message', ({ id, ...answer }: Answer) => {
    calls.get(id)?.(answer)
    calls.delete(id)
  })
  child.on('exit', () => {
    for (const settle of calls.values()) settle({ error: ended.message })
  })
  const call = (method: string, options: unknown): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (!child.connected) throw ended
      const id = ++lastId
      calls.set(id, ({ error, result }) => {
        if (error === undefined) resolve(result)
        else reject(new Error(error))
      })
      child.send({ id, method, options } satisfies Call)
    })
  return {
    methods: new Proxy({} as Remote<T>, {
      get: (_, method) => (options: unknown) => call(String(method), options),
    }),
    pid: child.pid ?? 0,
    async stop() {
      child.kill('SIGKILL')
      await exited
    },
  }
}
