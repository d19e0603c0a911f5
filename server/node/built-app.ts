/**
 * What Next has built: whether a route exports a handler of ours as it is, and what else of the app might answer for its path. Read from
 * the manifests beside the route, which are Next's own affair: where one is not as expected, there is no answer.
 */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, sep } from 'node:path'

/** A route that exports handlers of ours. */
export interface BuiltRoute {
  /** Its path as Next writes it, with the `basePath`: `/events/[topics]`. */
  pattern: string
  /** The methods whose export is the very function asked for. The others are the app's own. */
  methods: ReadonlySet<string>
  /** Why a request to a path of the route must go through Next; undefined when nothing else of the app matches it. */
  otherMatch: (path: string) => string | undefined
  /** The headers of next.config that the path gets. */
  headersFor: (path: string) => readonly (readonly [name: string, value: string])[]
}

interface Rule {
  regex: string
  source: string
  internal?: boolean
  has?: unknown[]
  missing?: unknown[]
  headers?: { key: string; value: string }[]
}

interface RoutesManifest {
  basePath: string
  i18n?: unknown
  redirects: Rule[]
  headers: Rule[]
  rewrites: Rule[] | { beforeFiles: Rule[]; afterFiles: Rule[]; fallback: Rule[] }
  dynamicRoutes: { page: string; regex: string }[]
  staticRoutes: { page: string }[]
}

interface RouteModule {
  routeModule?: {
    userland?: Record<string, unknown>
    definition?: { pathname?: string }
  }
}

/** What a path may hold to be judged here: Next decodes the rest in ways of its own. */
const plainPath = /^\/[\w.~,/-]+$/

/**
 * The built route whose export for one of `handlers`' methods is that very function.
 * @throws {Error} there is none, or something else of the app is in the way; the message says what
 */
export function findBuiltRoute(handlers: Readonly<Record<string, unknown>>): BuiltRoute {
  const { file, userland, pathname } = findModule(handlers)
  const folder = file.slice(0, file.lastIndexOf(`${sep}server${sep}app${sep}`))
  const manifest = readJson(join(folder, 'routes-manifest.json')) as RoutesManifest
  if (manifest.i18n !== undefined) throw new Error('next.config has i18n.')
  const { basePath } = manifest
  const mount = pathname.slice(0, pathname.lastIndexOf('/'))
  if (existsSync(join(dirname(folder), 'public', mount))) {
    throw new Error(`There are files in public${mount}.`)
  }
  const own = manifest.dynamicRoutes.findIndex(({ page }) => page === pathname)
  const ownRegex = manifest.dynamicRoutes[own]?.regex
  if (ownRegex === undefined) throw new Error(`${pathname} is not among the routes of the build.`)

  const isOwn = matcher(ownRegex)
  const earlier = manifest.dynamicRoutes.slice(0, own).map(({ page, regex }) => ({
    what: `the route ${page}`,
    matches: matcher(regex),
  }))
  const pages = new Set(Object.values(readPages(folder)))
  const rules = [...proxyRules(folder), ...configRules(manifest)]
  const plainHeaders = manifest.headers.filter((rule) => !isConditional(rule))
  const headerRules = plainHeaders.map(({ regex, headers = [] }) => ({
    matches: matcher(regex),
    headers: headers.map(({ key, value }) => [key, value] as const),
  }))

  return {
    pattern: basePath + pathname,
    methods: new Set(
      Object.keys(handlers).filter((method) => userland[method] === handlers[method]),
    ),
    otherMatch(path) {
      if (!plainPath.test(path)) return 'an unusual path'
      if (!path.startsWith(`${basePath}/`)) return 'a path outside of basePath'
      const inner = path.slice(basePath.length)
      if (!isOwn(inner)) return 'another path'
      if (pages.has(inner)) return `the route ${inner}`
      // A rule may be written with the basePath, or without.
      const matched = [...rules, ...earlier].find(({ matches }) => matches(path) || matches(inner))
      return matched?.what
    },
    headersFor: (path) =>
      headerRules.flatMap(({ matches, headers }) => (matches(path) ? headers : [])),
  }
}

/** The module of the route, among those that Next has loaded. */
function findModule(handlers: Readonly<Record<string, unknown>>): {
  file: string
  userland: Record<string, unknown>
  pathname: string
} {
  const loaded = createRequire(join(process.cwd(), 'server.js')).cache
  for (const [file, module] of Object.entries(loaded)) {
    if (!file.endsWith(`${sep}route.js`) || !file.includes(`${sep}server${sep}app${sep}`)) continue
    const { userland, definition } = (module?.exports as RouteModule | undefined)?.routeModule ?? {}
    const pathname = definition?.pathname
    if (!userland || pathname === undefined) continue
    const isOurs = Object.entries(handlers).some(([method, own]) => userland[method] === own)
    if (isOurs) return { file, userland, pathname }
  }
  throw new Error('No built route exports a handler of createSse as it is.')
}

function readPages(folder: string): Record<string, string> {
  return readJson(join(folder, 'app-path-routes-manifest.json')) as Record<string, string>
}

/** What proxy.ts is asked about. Its conditions count as met. */
function proxyRules(folder: string): { what: string; matches: (path: string) => boolean }[] {
  interface Matchers {
    matchers?: { regexp: string }[]
  }
  const onNode = readJson(join(folder, 'server', 'functions-config-manifest.json')) as {
    functions: Record<string, Matchers>
  }
  const onEdge = readJson(join(folder, 'server', 'middleware-manifest.json')) as {
    middleware: Record<string, Matchers>
  }
  const proxies = [onNode.functions['/_middleware'], ...Object.values(onEdge.middleware)]
  return proxies.flatMap((proxy) =>
    (proxy?.matchers ?? []).map(({ regexp }) => ({ what: 'proxy.ts', matches: matcher(regexp) })),
  )
}

function configRules({
  redirects,
  rewrites,
  headers,
}: RoutesManifest): { what: string; matches: (path: string) => boolean }[] {
  const rewritten = Array.isArray(rewrites)
    ? rewrites
    : [...rewrites.beforeFiles, ...rewrites.afterFiles, ...rewrites.fallback]
  const named = (what: string, rules: readonly Rule[]) =>
    rules.map(({ source, regex }) => ({ what: `${what} ${source}`, matches: matcher(regex) }))
  return [
    ...named('the redirect', redirects),
    ...named('the rewrite', rewritten),
    ...named('the conditional header', headers.filter(isConditional)),
  ]
}

/** Depends on more than the path, or takes parts of the path into its value. */
function isConditional({ has, missing, headers = [] }: Rule): boolean {
  const hasCondition = (has?.length ?? 0) + (missing?.length ?? 0) > 0
  return hasCondition || headers.some(({ key, value }) => /:\w/.test(`${key} ${value}`))
}

/** Next compares some rules with regard to case, and others without: here a rule matches either way. */
function matcher(regex: string): (path: string) => boolean {
  const compiled = new RegExp(regex, 'i')
  return (path) => compiled.test(path)
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'))
}
