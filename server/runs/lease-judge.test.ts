import { beforeEach, describe, expect, test } from 'vitest'
import type { EventLog } from '@/server/log/event-log'
import { createMemoryLog } from '@/server/log/memory/memory-log'
import { createLeaseJudge, lookEveryMs, type LeaseJudge } from './lease-judge'

let log: EventLog
let judge: LeaseJudge
let now: number

beforeEach(async () => {
  log = createMemoryLog({ maxCount: 1_000, maxAgeMs: 3_600_000 })
  now = 0
  judge = createLeaseJudge(() => now)
  await change('begin')
})

async function change(op: 'begin' | 'renew' | 'stop'): Promise<void> {
  await log.append('work', [{ type: 'message', data: '' }], { run: { id: 'r1', op } })
}

/** Looks once, after `ms`. Resolves with the state of the run. */
async function look(ms = lookEveryMs): Promise<string | undefined> {
  now += ms
  await judge.look(await log.livingRuns(), log)
  return (await log.findRun('work'))?.state
}

describe('createLeaseJudge', () => {
  test('ends a run as lost that was not renewed for one lease since it was first seen', async () => {
    expect([await look(), await look(), await look()]).toEqual(['running', 'running', 'running'])

    expect(await look()).toBe('lost')
    const { events } = await log.read({
      topics: ['work'],
      after: { ...(await log.head()), offset: 1 },
      limit: 9,
      maxBytes: 999,
    })
    expect(events).toMatchObject([{ type: 'run.end', data: '{"run":"r1","status":"lost"}' }])
  })

  test('a run that is renewed lives on', async () => {
    for (let n = 0; n < 20; n++) {
      if (n % 2 === 0) await change('renew')
      expect(await look()).toBe('running')
    }
  })

  test('a run that was asked to stop ends as stopped', async () => {
    await change('stop')
    for (let n = 0; n < 4; n++) await look()

    expect((await log.findRun('work'))?.state).toBe('stopped')
  })

  test('after the log was away, or this process stood still, producers have time to renew', async () => {
    await look()
    await look()

    expect(await look(3_600_000)).toBe('running')
    await change('renew')
    expect(await look()).toBe('running')
  })

  test('a renewal between the look and the end saves the run', async () => {
    await look()
    await look()
    await look()
    const living = await log.livingRuns()
    await change('renew')
    now += lookEveryMs

    await judge.look(living, log)

    expect((await log.findRun('work'))?.state).toBe('running')
  })
})
