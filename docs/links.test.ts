import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'

const root = join(__dirname, '..')
const pages = ['README.md', ...readdirSync(__dirname).map((name) => join('docs', name))].filter(
  (name) => name.endsWith('.md'),
)

/** The files and folders of this project that a page names, in links, pictures and the first column of the folder table. */
function pathsOf(page: string): string[] {
  const text = readFileSync(join(root, page), 'utf8')
  const links = [
    ...text.matchAll(/\]\(<?([^)>#]+)>?\)/g),
    ...text.matchAll(/(?:src|srcset)="([^"]+)"/g),
  ]
  const folders = [...text.matchAll(/^\| (`[^|]+`) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([a-z0-9]+\/)`/g)].map(([, folder = '']) => folder),
  )
  return [
    ...links
      .map(([, path = '']) => path)
      .filter((path) => !/^https?:/.test(path))
      .map((path) => join(dirname(page), path)),
    ...folders,
  ]
}

describe('the documentation', () => {
  test.each(pages)('every path that %s names exists', (page) => {
    const missing = pathsOf(page).filter((path) => !existsSync(join(root, path)))

    expect(missing).toEqual([])
  })
})
