/**
 * State that must exist once in a process. A module is no such place under Next: routes, pages and instrumentation are
 * bundled apart, and dev evaluates a module anew after an edit.
 */

const key = Symbol.for('next-sse')

/** The value first created under `name` in this process. Keep it plain: code of an older edit may hold it too. */
export function oncePerProcess<T>(name: string, create: () => T): T {
  const holder = globalThis as { [key]?: Map<string, unknown> }
  const values = (holder[key] ??= new Map())
  if (!values.has(name)) values.set(name, create())
  return values.get(name) as T
}
