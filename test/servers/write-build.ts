/** A folder with what the front door reads of Next's build: manifests, and the route's module, loaded as Next loads it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'

type Handlers = Record<string, unknown>

export interface WrittenBuild {
  /** What the route exports; undefined when it is not loaded yet. */
  userland: Handlers | undefined
  /** Default `/events/[topics]`. */
  pathname?: string
  /** Default `.next`. */
  distDir?: string
  /** In place of those of a build with the route alone; undefined for one that is not there, a text for one that is no JSON. */
  manifests?: Record<string, unknown>
  /** Files of the project, such as `public/events/a.txt`. */
  files?: readonly string[]
}

/** A rule of next.config or a route, as a manifest has it. */
export function rule(source: string, regex: string, more: object = {}): object {
  return { source, page: source, regex, ...more }
}

export const topicsRoute = rule('/events/[topics]', '^/events/([^/]+?)(?:/)?$')

/** The manifest of the routes of a build, with what next.config says beside them. */
export function routesManifest(more: object = {}): object {
  return {
    basePath: '',
    redirects: [rule('/:path+/', '^(?:/((?:[^/]+?)(?:/(?:[^/]+?))*))/$', { internal: true })],
    headers: [],
    rewrites: { beforeFiles: [], afterFiles: [], fallback: [] },
    dynamicRoutes: [topicsRoute],
    staticRoutes: [rule('/', '^/(?:/)?$')],
    ...more,
  }
}

/** Writes the build and loads its route; both are gone after the test. Returns the project's folder. */
export function writeBuild({
  userland,
  pathname = '/events/[topics]',
  distDir = '.next',
  manifests = {},
  files = [],
}: WrittenBuild): string {
  const project = mkdtempSync(join(tmpdir(), 'next-sse-build-'))
  const route = join(project, distDir, 'server/app', pathname, 'route.js')
  const all: Record<string, unknown> = {
    'routes-manifest.json': routesManifest(),
    'required-server-files.json': { config: { distDir } },
    'app-path-routes-manifest.json': { [`${pathname}/route`]: pathname },
    'server/functions-config-manifest.json': { version: 1, functions: {} },
    'server/middleware-manifest.json': { version: 3, middleware: {}, functions: {} },
    ...manifests,
  }
  for (const [name, content] of Object.entries(all)) {
    if (content === undefined) continue
    const text = typeof content === 'string' ? content : JSON.stringify(content)
    write(join(project, distDir, name), text)
  }
  for (const file of files) write(join(project, file), '')
  write(route, 'exports.routeModule = {}')

  const load = createRequire(join(project, 'server.js'))
  const { routeModule } = load(route) as { routeModule: object }
  Object.defineProperties(routeModule, {
    definition: { value: { page: `${pathname}/route`, pathname } },
    userland: {
      get() {
        if (userland) return userland
        throw new Error('The route is not loaded.')
      },
    },
  })
  onTestFinished(() => {
    delete load.cache[route]
    rmSync(project, { recursive: true })
  })
  return project
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}
