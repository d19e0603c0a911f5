/** The import of the runs page: 2,000 lines, each parsed and written into the app's own database as it comes. */
import { setTimeout as sleep } from 'node:timers/promises'
import { change } from '@/app/database'
import { sse } from '@/app/sse'
import { importTopic, rowCount } from './import-topic'

/** So that there is something to watch. Without it, the import is done in less than a second. */
const paceMs = 5

/** Begins the import, unless it runs already. */
export async function startImport(): Promise<void> {
  await sse.run(
    importTopic,
    async function* ({ signal }) {
      change('DELETE FROM product')
      for (let done = 1; done <= rowCount; done++) {
        signal.throwIfAborted()
        const { code, name, cents } = parseLine(lineOf(done))
        change('INSERT INTO product (code, name, cents) VALUES (?, ?, ?)', code, name, cents)
        yield { type: 'progress', data: { done, newest: name } }
        await sleep(paceMs, undefined, { signal })
      }
    },
    { sample: { progress: 100 } },
  )
}

export async function stopImport(): Promise<void> {
  await sse.stop(importTopic)
}

const kinds = ['Lamp', 'Chair', 'Shelf', 'Table', 'Rug', 'Clock', 'Vase', 'Stool']
const woods = ['oak', 'ash', 'pine', 'birch', 'walnut', 'beech', 'elm']

/** A line of the file that a supplier would send. */
function lineOf(row: number): string {
  const name = `${kinds[row % kinds.length]} in ${woods[row % woods.length]}`
  return `P-${String(row).padStart(5, '0')};${name};${((row * 37) % 400) + 9}.90`
}

function parseLine(line: string): { code: string; name: string; cents: number } {
  const [code = '', name = '', price = ''] = line.split(';')
  return { code, name, cents: Math.round(Number(price) * 100) }
}
