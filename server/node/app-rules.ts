/** What of an app may answer for a path, or add to the answer, before one of its dynamic routes: as the manifests of its build have it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Something of the app that may match a path. */
export interface Rival {
  what: string
  matches: (path: string) => boolean
}

interface Rule {
  regex: string
  source: string
  has?: unknown[]
  missing?: unknown[]
  headers?: { key: string; value: string }[]
}

export interface RoutesManifest {
  basePath: string
  caseSensitive?: boolean
  i18n?: unknown
  redirects: Rule[]
  headers: Rule[]
  rewrites: Rule[] | { beforeFiles: Rule[]; afterFiles: Rule[]; fallback: Rule[] }
  dynamicRoutes: { page: string; regex: string }[]
  staticRoutes: { page: string; regex: string }[]
}

interface Proxy {
  matchers: { regexp: string }[]
}

/** What proxy.ts is asked about. Its conditions count as met. */
export function proxyRules(folder: string): Rival[] {
  const onNode = readJson(join(folder, 'server', 'functions-config-manifest.json')) as {
    functions: Record<string, Proxy>
  }
  const onEdge = readJson(join(folder, 'server', 'middleware-manifest.json')) as {
    middleware: Record<string, Proxy>
  }
  const proxies = [onNode.functions['/_middleware'], ...Object.values(onEdge.middleware)]
  return proxies
    .flatMap((proxy) => proxy?.matchers ?? (proxy ? [{ regexp: '' }] : []))
    .map(({ regexp }) => ({ what: 'proxy.ts', matches: matcher(regexp) }))
}

export function configRules({ redirects, rewrites, headers }: RoutesManifest): Rival[] {
  const rewritten = Array.isArray(rewrites)
    ? rewrites
    : [...rewrites.beforeFiles, ...rewrites.afterFiles, ...rewrites.fallback]
  const named = (what: string, rules: readonly Rule[]): Rival[] =>
    rules.map(({ source, regex }) => ({ what: `${what} ${source}`, matches: matcher(regex) }))
  return [
    ...named('the redirect', redirects),
    ...named('the rewrite', rewritten),
    ...named('the conditional header', headers.filter(isConditional)),
  ]
}

/** Routes that Next tries before a dynamic one: those without a parameter, and the more specific ones. */
export function otherRoutes(
  folder: string,
  { dynamicRoutes, staticRoutes }: RoutesManifest,
  pathname: string,
): Rival[] {
  const own = dynamicRoutes.findIndex(({ page }) => page === pathname)
  const listed = [...staticRoutes, ...dynamicRoutes.slice(0, own)].map(({ page, regex }) => ({
    what: `the route ${page}`,
    matches: matcher(regex),
  }))
  // A route need not be among them to be served.
  const built = readJson(join(folder, 'app-path-routes-manifest.json')) as Record<string, string>
  const paths = new Set(Object.values(built))
  const exact = {
    what: 'a route of its own',
    matches: (path: string) => paths.has(path.replace(/\/$/, '')),
  }
  return [...listed, exact]
}

/** Depends on more than the path, or takes parts of the path into its value. */
export function isConditional({ has, missing, headers = [] }: Rule): boolean {
  const hasCondition = (has?.length ?? 0) + (missing?.length ?? 0) > 0
  return hasCondition || headers.some(({ key, value }) => /:\w/.test(`${key} ${value}`))
}

/** Next compares some rules with regard to case, and others without: by default, a rule matches either way. */
export function matcher(regex: string, flags: 'i' | '' = 'i'): (path: string) => boolean {
  // `RegExp` would take `undefined` for a pattern that matches everything.
  if (typeof regex !== 'string') throw new TypeError('A rule has no pattern.')
  const compiled = new RegExp(regex, flags)
  return (path) => compiled.test(path)
}

export function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new Error(`${file} can't be read.`, { cause })
  }
}
