/** The tutorial's app on Rails and Puma, of which there are the greetings alone. */
import { join } from 'node:path'
import { findOnPath } from '../../test/programs/find-program'
import type { BenchServer } from './bench-server'
import { startProcess } from './start-process'

const folder = join(__dirname, '..', 'peers', 'rails')
const puma = findOnPath('puma')

export const rails: BenchServer = {
  name: 'rails',
  title: "the tutorial's Rails app, Puma with its 5 threads",
  common: false,
  missing() {
    return puma !== undefined && findOnPath('rails') !== undefined
      ? undefined
      : "install Debian's ruby-rails and puma"
  },
  publishes: false,
  replays: false,
  greets: true,
  async start() {
    const server = await startProcess({
      command: puma ?? 'puma',
      args: (port) => ['--threads', '5:5', '--bind', `tcp://127.0.0.1:${port}`, 'config.ru'],
      cwd: folder,
      env: { RAILS_ENV: 'production', RACK_ENV: 'production' },
    })
    return { ...server, eventLoopDelayMs: () => Promise.resolve(undefined) }
  },
}
