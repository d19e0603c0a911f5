/**
 * What Next has built: whether a route exports a handler of ours as it is, and what else of the app might answer for its path. Read from
 * the manifests beside the route, which are Next's own affair: where one is not as expected, there is no answer.
 */
import { existsSync } from 'node:fs'
import { join, normalize } from 'node:path'
import {
  configRules,
  isConditional,
  matcher,
  otherRoutes,
  proxyRules,
  readJson,
  type RoutesManifest,
} from './app-rules'
import { rememberPaths } from './remember-paths'

/** A route that exports handlers of ours. */
export interface BuiltRoute {
  /** Its path as Next writes it, with the `basePath`: `/events/[topics]`. */
  pattern: string
  /** The methods whose export is the very function asked for. The others are the app's own. */
  methods: ReadonlySet<string>
  /** The methods that the route exports another function for. */
  wrapped: readonly string[]
  /** Why a request to a path of the route must go through Next; undefined when nothing else of the app matches it. */
  otherMatch: (path: string) => string | undefined
  /** The headers of next.config that the path gets. */
  headersFor: (path: string) => readonly ConfigHeader[]
}

export type ConfigHeader = readonly [name: string, value: string]

interface ServerFiles {
  config: { distDir: string }
}

interface RouteModule {
  userland: Record<string, unknown>
  definition: { page: string; pathname: string }
}

/** What a path may hold to be judged here: Next decodes the rest in ways of its own, and `..` leads elsewhere. */
const plainPath = /^(?:\/(?!\.{1,2}(?:\/|$))[\w.~,-]+)+\/?$/

/**
 * The built route below `path` whose export for one of `handlers`' methods is that very function.
 * @throws {Error} there is none, or something else of the app is in the way; the message says what
 */
export function findBuiltRoute(
  handlers: Readonly<Record<string, unknown>>,
  path: string,
): BuiltRoute {
  const { file, routeModule } = findModule(handlers, path)
  const { page, pathname } = routeModule.definition
  const ending = normalize(`/server/app${page}.js`)
  if (!file.endsWith(ending)) throw new Error(`${pathname} was built to an unknown place.`)
  const folder = file.slice(0, -ending.length)
  try {
    return judge(handlers, routeModule, folder)
  } catch (error) {
    // A manifest of another shape than expected.
    if (error instanceof TypeError || error instanceof SyntaxError) {
      throw new Error(`The manifests in ${folder} are not as expected.`, { cause: error })
    }
    throw error
  }
}

function judge(
  handlers: Readonly<Record<string, unknown>>,
  { userland, definition: { pathname } }: RouteModule,
  folder: string,
): BuiltRoute {
  const manifest = readJson(join(folder, 'routes-manifest.json')) as RoutesManifest
  const { basePath } = manifest
  if (typeof basePath !== 'string') throw new TypeError('There is no basePath.')
  const { i18n } = manifest
  if (i18n !== undefined && i18n !== null) throw new Error('next.config has i18n.')
  refusePublicFiles(folder, pathname)
  const own = manifest.dynamicRoutes.find((route) => route.page === pathname)
  if (!own) throw new Error(`${pathname} is not among the routes of the build.`)

  // Next compares the paths of routes exactly, unlike those of rules.
  const isOwn = matcher(own.regex, '')
  const rivals = [
    ...proxyRules(folder),
    ...configRules(manifest),
    ...otherRoutes(folder, manifest, pathname),
  ]
  const headerRules = manifest.headers
    .filter((rule) => !isConditional(rule))
    .map(({ regex, headers = [] }) => ({
      matches: matcher(regex, manifest.caseSensitive === true ? '' : 'i'),
      headers: headers.map(({ key, value }): ConfigHeader => [key, value]),
    }))
  // A rule may be written with the basePath, or without.
  const rivalOf = rememberPaths((path) => {
    const inner = path.slice(basePath.length)
    return rivals.find(({ matches }) => matches(path) || matches(inner))?.what
  })
  const methods = Object.keys(handlers)

  return {
    pattern: basePath + pathname,
    methods: new Set(methods.filter((method) => userland[method] === handlers[method])),
    wrapped: methods.filter(
      (method) => method in userland && userland[method] !== handlers[method],
    ),
    otherMatch(path) {
      if (!plainPath.test(path)) return 'an unusual path'
      if (!path.startsWith(`${basePath}/`)) return 'a path outside of basePath'
      return isOwn(path.slice(basePath.length)) ? rivalOf(path) : 'another path'
    },
    headersFor: rememberPaths((path) =>
      headerRules.flatMap(({ matches, headers }) => (matches(path) ? headers : [])),
    ),
  }
}

/** The module of the route, among those that Next has loaded. */
function findModule(
  handlers: Readonly<Record<string, unknown>>,
  path: string,
): {
  file: string
  routeModule: RouteModule
} {
  // Webpack puts something else in the place of an imported `createRequire`.
  const { createRequire } = process.getBuiltinModule('node:module')
  const loaded = createRequire(join(process.cwd(), 'server.js')).cache
  for (const [file, module] of Object.entries(loaded)) {
    if (!/[\\/]route\.js$/.test(file)) continue
    const routeModule = loadedRoute(module?.exports)
    const isOurs = Object.entries(handlers).some(
      ([method, own]) => routeModule?.userland[method] === own,
    )
    // Another route may export the handlers, too; there they refuse to serve.
    const pathname = routeModule?.definition.pathname ?? ''
    const isThere = pathname.slice(0, pathname.lastIndexOf('/')).endsWith(path)
    if (routeModule && isOurs && isThere) return { file, routeModule }
  }
  throw new Error('No built route exports a handler of createSse as it is.')
}

/** Undefined for what is no route, or one that has not been asked for yet. */
function loadedRoute(exported: unknown): RouteModule | undefined {
  try {
    const { routeModule } = exported as { routeModule?: RouteModule }
    return routeModule?.userland && routeModule.definition.pathname !== undefined
      ? routeModule
      : undefined
  } catch {
    // Next's getter throws while the route awaits something at its top level.
    return undefined
  }
}

/** Next serves a file of `public` before any route. */
function refusePublicFiles(folder: string, pathname: string): void {
  const { config } = readJson(join(folder, 'required-server-files.json')) as ServerFiles
  // `resolve` would have Next copy this folder's sources into a standalone build.
  const depth = normalize(config.distDir).split(/[\\/]/).filter(Boolean).length
  const project = join(folder, '../'.repeat(depth))
  // A dynamic segment may be the name of any folder there.
  const mount = pathname.slice(0, pathname.indexOf('[')).replace(/\/$/, '')
  if (existsSync(join(project, 'public', mount))) {
    throw new Error(`There are files in public${mount}.`)
  }
}
