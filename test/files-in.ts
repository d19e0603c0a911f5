/** The files that a page of Markdown tells its reader to write: the blocks of code that begin with a comment that names a file. */

/** Each file and its text, in the order of the page. @throws a block of TypeScript names no file, or the file of another block */
export function filesIn(markdown: string): [file: string, code: string][] {
  const names = new Set<string>()
  return blocksIn(markdown).map(([file, code]) => {
    if (names.has(file)) throw new Error(`Two blocks are ${file}.`)
    names.add(file)
    return [file, code]
  })
}

/** The same for a page that has a file several times, for different readers. @throws a block of TypeScript names no file */
export function blocksIn(markdown: string): [file: string, code: string][] {
  return [...markdown.matchAll(/^```tsx?\n([^]*?)^```$/gm)].map(([, code = '']) => {
    const [, file] = /^\/\/ (\S+)\n/.exec(code) ?? []
    if (file === undefined) throw new Error(`This block does not name its file:\n${code}`)
    return [file, code]
  })
}
