/** The refusals that docs/protocol.md promises: clients must never get any other. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const protocol = join(__dirname, '..', '..', 'docs', 'protocol.md')

/** The status for every code in the table of refusals. */
export function readDocumentedRefusals(): ReadonlyMap<string, number> {
  const rows = readFileSync(protocol, 'utf8').matchAll(/^\|\s*(\d{3})\s*\|([^|]+)\|/gm)
  return new Map(
    Array.from(rows).flatMap(([, status, codes = '']) =>
      Array.from(codes.matchAll(/`([a-z0-9-]+)`/g), ([, code = '']) => [code, Number(status)]),
    ),
  )
}
