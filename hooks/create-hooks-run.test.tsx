// @vitest-environment jsdom
/** Runs of defined topics in a component: which values are read, left out and told. What must not compile is here, too. */
import { renderHook } from '@testing-library/react'
import { describe, expect, expectTypeOf, test } from 'vitest'
import * as z from 'zod'
import type { StreamError } from '@/client/stream-error'
import { defineTopics } from '@/protocol/topics/define-topics'
import { splitValue } from '@/protocol/run'
import { installHookOrigin, origin, stream, until } from '@/test/doubles/hook-origin'
import { createHooks } from './create-hooks'

installHookOrigin()

const topics = defineTopics({
  orders: { paid: z.object({ amount: z.number() }) },
  'import.*': {
    progress: z.object({ done: z.number() }),
    ended: z.iso.datetime().transform((text) => new Date(text)),
  },
})

const when = '2026-01-02T03:04:05Z'

let offset = 0

/** An event of the run, as our server sends it. `data` is JSON text. */
function frame(type: string, data: string): string {
  const envelope = { topic: 'import.42', key: 'import.*', type, time: 1, data }
  return `data: ${JSON.stringify(envelope)}\nid: test.${++offset}\n\n`
}

const value = (type: string, data: unknown): string => frame(type, JSON.stringify(data))
const begin = (): string => value('run.begin', { run: 'a' })
const end = (): string => value('run.end', { run: 'a', status: 'done' })

describe('useRun of createHooks', () => {
  test('with the schemas, reads values by them, also one that comes in parts', async () => {
    const parts = splitValue('ended', JSON.stringify(when), 80).map((part) =>
      frame('run.part', part),
    )
    origin.answer = stream(begin(), value('progress', { done: 1, more: 2 }), ...parts, end())
    const { useRun } = createHooks(topics, { path: origin.url })
    const { result } = renderHook(() => useRun('import.42'))

    await until(() => expect(result.current.status).toBe('done'))

    expect(parts.length).toBeGreaterThan(1)
    expect(result.current.events).toEqual([
      { seq: 1, type: 'progress', data: { done: 1 }, time: 1 },
      { seq: 2, type: 'ended', data: new Date(when), time: 1 },
    ])
    expect(result.current.unreadable).toBe(0)
    expect(origin.requests[0]?.url).toBe('/events/import.42?envelope=1&since=run')
  })

  test('leaves out a value that its schema does not fit, says what to do, and goes on', async () => {
    origin.answer = stream(
      begin(),
      value('progress', { finished: 1 }),
      value('paused', {}),
      value('progress', { done: 2 }),
      end(),
    )
    const errors: StreamError[] = []
    const { useRun } = createHooks(topics, { path: origin.url })
    const { result } = renderHook(() =>
      useRun('import.42', { onError: (error) => errors.push(error) }),
    )

    await until(() => expect(result.current.status).toBe('done'))

    expect(result.current).toMatchObject({
      id: 'a',
      events: [{ seq: 1, data: { done: 2 } }],
      unreadable: 2,
    })
    const advice = 'If the app was deployed after this page was loaded, reload the page.'
    expect(errors.map(({ kind, message }) => [kind, message])).toEqual([
      [
        'event',
        `The event progress of import.42 can't be read: done: Invalid input: expected number, received undefined ${advice}`,
      ],
      ['event', `The event paused of import.42 can't be read: it is not defined. ${advice}`],
    ])
  })

  test('with types alone, gives the JSON as it came', async () => {
    origin.answer = stream(begin(), value('progress', { finished: 1 }), value('ended', when), end())
    const { useRun } = createHooks<typeof topics>({ path: origin.url })
    const { result } = renderHook(() => useRun('import.42'))

    await until(() => expect(result.current.status).toBe('done'))

    expect(result.current.events.map(({ data }) => data)).toEqual([{ finished: 1 }, when])
    expect(result.current.unreadable).toBe(0)
  })

  test('gives values that their type narrows', () => {
    const id = String(42)
    const checked = createHooks(topics)
    const unchecked = createHooks<typeof topics>()
    const compile = (): void => {
      const { latest, events } = checked.useRun(`import.${id}`)
      expectTypeOf(latest).toEqualTypeOf<(typeof events)[number] | undefined>()
      if (latest?.type === 'ended') expectTypeOf(latest.data).toEqualTypeOf<Date>()
      if (latest?.type === 'progress') expectTypeOf(latest.data).toEqualTypeOf<{ done: number }>()
      const asSent = unchecked.useRun('import.42').latest
      if (asSent?.type === 'ended') expectTypeOf(asSent.data).toEqualTypeOf<string>()
      // @ts-expect-error a typo
      checked.useRun('imports.42')
      // @ts-expect-error any string
      unchecked.useRun(id)
      // @ts-expect-error no such type
      if (latest?.type === 'ending') throw new Error()
      // @ts-expect-error a type of another topic
      if (asSent?.type === 'paid') throw new Error()
    }

    expectTypeOf(compile).returns.toBeVoid()
  })
})
