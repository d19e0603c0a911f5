import { describe, expect, test } from 'vitest'
import {
  routesManifest,
  rule,
  topicsRoute,
  writeBuild,
  type WrittenBuild,
} from '@/test/servers/write-build'
import { findBuiltRoute, type BuiltRoute } from './built-app'

const answer = (): void => {}

/** The route of a build that exports our handlers as they are. */
function find(build: Partial<WrittenBuild> = {}, methods = ['GET', 'POST']): BuiltRoute {
  const handlers = Object.fromEntries(methods.map((method) => [method, () => {}]))
  writeBuild({ userland: handlers, ...build })
  return findBuiltRoute(handlers, '/events')
}

function findWith(more: object): BuiltRoute {
  return find({ manifests: { 'routes-manifest.json': routesManifest(more) } })
}

describe('A built route', () => {
  test('is known by the functions that it exports; the others are wrapped, or not there', () => {
    const handlers = { GET: () => {}, HEAD: () => {}, POST: () => {} }
    writeBuild({ userland: { GET: handlers.GET, POST: () => {} } })

    const { pattern, methods, wrapped } = findBuiltRoute(handlers, '/events')

    expect(pattern).toBe('/events/[topics]')
    expect([...methods]).toEqual(['GET'])
    expect(wrapped).toEqual(['POST'])
  })

  test('is not found when it exports none of them, or is not loaded', () => {
    writeBuild({ userland: { GET: answer } })

    expect(() => findBuiltRoute({ GET: () => {} }, '/events')).toThrow(
      'No built route exports a handler of createSse as it is.',
    )
  })

  test('is the one at the path, though another route exports the handlers, too', () => {
    const handlers = { GET: () => {} }
    writeBuild({ userland: handlers, pathname: '/elsewhere/[topics]' })
    expect(() => findBuiltRoute(handlers, '/events')).toThrow('No built route')

    writeBuild({ userland: handlers })

    expect(findBuiltRoute(handlers, '/events').pattern).toBe('/events/[topics]')
  })

  test('is found beside a route that is not loaded yet', () => {
    writeBuild({ userland: undefined, pathname: '/a/[b]' })

    expect(find().pattern).toBe('/events/[topics]')
  })

  test('may be built to another folder, and to one whose path looks like that of a route', () => {
    expect(find({ distDir: 'build/server/app/next' }).otherMatch('/events/a')).toBeUndefined()
  })

  test.each([
    '/events/news',
    '/events/news,orders.7,a_b-c',
    '/events/~',
    `/events/${'x'.repeat(4_000)}`,
    '/events/...',
  ])('takes %s', (path) => {
    expect(find().otherMatch(path)).toBeUndefined()
  })

  test.each([
    ['/events', 'another path'],
    ['/events/', 'another path'],
    ['/eventsfoo/news', 'another path'],
    ['/Events/news', 'another path'],
    ['/events/a/b', 'another path'],
    ['/events/news/', 'the redirect /:path+/'],
    ['//events/news', 'an unusual path'],
    ['/events//news', 'an unusual path'],
    ['/events/.', 'an unusual path'],
    ['/events/..', 'an unusual path'],
    ['/x/../events/news', 'an unusual path'],
    ['/events/%6eews', 'an unusual path'],
    ['/events/a%2Fb', 'an unusual path'],
    ['/events/a;b', 'an unusual path'],
    ['/events/a\\b', 'an unusual path'],
    ['/events/ä', 'an unusual path'],
    ['http://localhost/events/news', 'an unusual path'],
    ['*', 'an unusual path'],
    ['', 'an unusual path'],
  ])('leaves %s to Next', (path, reason) => {
    expect(find().otherMatch(path)).toBe(reason)
  })
})

describe('What else of the app may match a path', () => {
  test.each([
    ['a Node proxy', 'server/functions-config-manifest.json', 'functions', '/_middleware'],
    ['an Edge proxy', 'server/middleware-manifest.json', 'middleware', '/'],
  ])('%s, whatever its conditions', (_, manifest, group, name) => {
    const proxy = { matchers: [{ regexp: '^/events/secret', has: [{ type: 'query', key: 'x' }] }] }

    const { otherMatch } = find({ manifests: { [manifest]: emptyManifest(group, name, proxy) } })

    expect(otherMatch('/events/secret')).toBe('proxy.ts')
    expect(otherMatch('/events/SECRET')).toBe('proxy.ts')
    expect(otherMatch('/events/news')).toBeUndefined()
  })

  test('a proxy without matchers matches everything', () => {
    const manifest = emptyManifest('functions', '/_middleware', { runtime: 'nodejs' })

    const { otherMatch } = find({
      manifests: { 'server/functions-config-manifest.json': manifest },
    })

    expect(otherMatch('/events/news')).toBe('proxy.ts')
  })

  test.each([
    ['a redirect', { redirects: [rule('/events/old', '^/events/old$')] }, 'the redirect'],
    ['a rewrite', { rewrites: [rule('/events/old', '^/events/old$')] }, 'the rewrite'],
    ['an early rewrite', rewrites('beforeFiles'), 'the rewrite'],
    ['a late rewrite', rewrites('afterFiles'), 'the rewrite'],
    ['a last rewrite', rewrites('fallback'), 'the rewrite'],
    [
      'a header on a condition',
      headers({ key: 'A', value: 'b' }, { has: [{ type: 'host', value: 'x' }] }),
      'the conditional header',
    ],
    [
      'a header but on a condition',
      headers({ key: 'A', value: 'b' }, { missing: [{ type: 'host', value: 'x' }] }),
      'the conditional header',
    ],
    [
      'a header with a part of the path',
      headers({ key: 'A', value: '/:topic' }),
      'the conditional header',
    ],
    ['a route without a parameter', staticRoute(), 'the route'],
    [
      'a route that is more specific',
      { dynamicRoutes: [rule('/events/old', '^/events/old$'), topicsRoute] },
      'the route',
    ],
  ])('%s', (_, more, what) => {
    const { otherMatch } = findWith(more)

    expect(otherMatch('/events/old')).toBe(`${what} /events/old`)
    expect(otherMatch('/events/news')).toBeUndefined()
  })

  test('a route that no list of routes has', () => {
    const built = { '/events/news/route': '/events/news' }
    const manifests = { 'app-path-routes-manifest.json': built }

    expect(find({ manifests }).otherMatch('/events/news')).toBe('a route of its own')
    expect(find({ manifests }).otherMatch('/events/other')).toBeUndefined()
  })

  test('also where paths end with a slash', () => {
    const { otherMatch } = findWith({ redirects: [], ...staticRoute() })

    expect(otherMatch('/events/old/')).toBe('the route /events/old')
    expect(otherMatch('/events/news/')).toBeUndefined()
  })

  test('not a catch-all, which comes after the route', () => {
    const { otherMatch } = findWith({
      dynamicRoutes: [topicsRoute, rule('/[...all]', '^/(.+?)(?:/)?$')],
    })

    expect(otherMatch('/events/news')).toBeUndefined()
  })
})

describe('With a basePath', () => {
  const basePath = '/base'

  test('the path begins with it, and rules may have it or not', () => {
    const { pattern, otherMatch } = findWith({
      basePath,
      redirects: [
        rule('/base/events/one', '^/base/events/one$'),
        rule('/events/two', '^/events/two$'),
      ],
      ...staticRoute(),
    })

    expect(pattern).toBe('/base/events/[topics]')
    expect(otherMatch('/base/events/news')).toBeUndefined()
    expect(otherMatch('/events/news')).toBe('a path outside of basePath')
    expect(otherMatch('/baseevents/news')).toBe('a path outside of basePath')
    expect(otherMatch('/base/events/one')).toBe('the redirect /base/events/one')
    expect(otherMatch('/base/events/two')).toBe('the redirect /events/two')
    expect(otherMatch('/base/events/old')).toBe('the route /events/old')
  })
})

describe('The headers of next.config', () => {
  test('are those of every rule without a condition that matches, in order', () => {
    const policy = { key: 'Content-Security-Policy', value: 'default-src https://a.example' }
    const { headersFor } = findWith({
      headers: [
        rule('/:path*', '^(?:/(.*))?$', { headers: [policy] }),
        rule('/events/a', '^/events/a$', { headers: [{ key: 'X-A', value: '1' }] }),
        rule('/:path*', '^(?:/(.*))?$', { has: [{}], headers: [{ key: 'X-B', value: '2' }] }),
      ],
    })

    expect(headersFor('/events/a')).toEqual([
      [policy.key, policy.value],
      ['X-A', '1'],
    ])
    expect(headersFor('/events/b')).toEqual([[policy.key, policy.value]])
  })

  test('match whatever the case, unless next.config has it matter', () => {
    const own = [{ key: 'X-A', value: '1' }]
    const rules = { headers: [rule('/Events/a', '^/Events/a$', { headers: own })] }

    expect(findWith(rules).headersFor('/events/a')).toHaveLength(1)
    expect(findWith({ ...rules, caseSensitive: true }).headersFor('/events/a')).toEqual([])
  })
})

describe('There is no built route', () => {
  test('where paths are told by language', () => {
    expect(() => findWith({ i18n: { locales: ['en'] } })).toThrow('next.config has i18n.')
    expect(findWith({ i18n: null }).pattern).toBe('/events/[topics]')
  })

  test.each([
    ['/events/[topics]', 'public/events/news', 'public/events'],
    ['/[tenant]/events/[topics]', 'public/a.txt', 'public'],
  ])('%s where there is %s', (pathname, file, folder) => {
    const regex = '^/x/([^/]+?)$'
    const dynamicRoutes = [rule(pathname, regex)]
    const manifests = { 'routes-manifest.json': routesManifest({ dynamicRoutes }) }

    for (const distDir of ['.next', './.next', 'build/next']) {
      const build = { pathname, manifests, distDir }
      expect(() => find({ ...build, files: [file] })).toThrow(`There are files in ${folder}.`)
      expect(find({ ...build, files: ['public-2/a'] }).pattern).toBe(pathname)
    }
  })

  test('where the manifest of routes does not have it', () => {
    expect(() => findWith({ dynamicRoutes: [] })).toThrow('is not among the routes of the build')
  })

  test.each([
    'routes-manifest.json',
    'required-server-files.json',
    'app-path-routes-manifest.json',
    'server/functions-config-manifest.json',
    'server/middleware-manifest.json',
  ])('where %s is missing, damaged or of another shape', (name) => {
    expect(() => find({ manifests: { [name]: undefined } })).toThrow(`${name} can't be read.`)
    expect(() => find({ manifests: { [name]: '{' } })).toThrow(`${name} can't be read.`)
    expect(() => find({ manifests: { [name]: 'null' } })).toThrow('are not as expected.')
  })

  test.each([
    ['without rules', { redirects: undefined }],
    ['with a rule that has no pattern', { redirects: [{ source: '/a' }] }],
    ['with a pattern that is none', { redirects: [rule('/a', '(')] }],
    ['with rewrites of another kind', { rewrites: {} }],
    ['without basePath', { basePath: undefined }],
    ['without routes', { staticRoutes: undefined }],
  ])('where the manifest of routes is %s', (_, more) => {
    expect(() => findWith(more)).toThrow('are not as expected.')
  })
})

function emptyManifest(group: string, name: string, proxy: object): object {
  return { [group]: { [name]: proxy } }
}

function rewrites(kind: string): object {
  const none = { beforeFiles: [], afterFiles: [], fallback: [] }
  return { rewrites: { ...none, [kind]: [rule('/events/old', '^/events/old$')] } }
}

function headers(header: object, condition: object = {}): object {
  return { headers: [rule('/events/old', '^/events/old$', { headers: [header], ...condition })] }
}

function staticRoute(): object {
  return { staticRoutes: [rule('/events/old', '^/events/old(?:/)?$')] }
}
