/** Playwright's `test` with the packed library in an app that is not ours. */
import {
  copyApp,
  installApp,
  packLibrary,
  type Files,
  type InstalledApp,
} from '../servers/installed-app'
import { test as base } from './server-test'

interface TestFixtures {
  /** Makes a copy of the installed app, with these files in place of its own; it is removed when the test ends. */
  copy: (files?: Files) => Promise<InstalledApp>
}

interface WorkerFixtures {
  tarball: string
  /** Not built. Made once for each worker, which takes about a minute: keep its tests in one file. */
  installed: InstalledApp
}

export const test = base.extend<TestFixtures, WorkerFixtures>({
  tarball: [async ({}, use) => use(await packLibrary()), { scope: 'worker', timeout: 60_000 }],
  installed: [
    async ({ tarball }, use) => {
      const app = await installApp(tarball)
      await use(app)
      await app.remove()
    },
    { scope: 'worker', timeout: 300_000 },
  ],
  copy: async ({ installed }, use) => {
    const copies: InstalledApp[] = []
    await use(async (files = {}) => {
      const app = await copyApp(installed)
      copies.push(app)
      await app.write(files)
      return app
    })
    await Promise.all(copies.map((app) => app.remove()))
  },
})

export { expect } from 'playwright/test'
