/**
 * Builds the package into dist/. The compiler makes one .js and one .d.ts of each source; this turns the specifiers that only a bundler
 * understands (`@/…`, no extension) into relative ones that Node does.
 */
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

const folder = import.meta.dirname
const root = dirname(folder)
const dist = join(folder, 'dist')
const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
/** What stands between quotes after `from`, `import`, `import(` and `new URL(`, where it leads to a file of ours. */
const specifiers = /((?:\bfrom|\bimport|\bnew URL)\s*\(?\s*)(['"])((?:@\/|\.\.?\/)[^'"]+)\2/g

rmSync(dist, { recursive: true, force: true })
// Editors show the comments of the declarations. In the code they would be a third of the package.
for (const part of [['--emitDeclarationOnly'], ['--declaration', 'false', '--removeComments']]) {
  execFileSync(process.execPath, [compiler, '-p', folder, ...part], { stdio: 'inherit' })
}
for (const name of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
  if (!/\.(?:js|d\.ts)$/.test(name)) continue
  const file = join(dist, name)
  const code = readFileSync(file, 'utf8').replace(specifiers, (_, before, quote, specifier) => {
    const path = specifier.startsWith('@/')
      ? join(dist, specifier.slice(2))
      : resolve(dirname(file), specifier)
    const target = `${path.replace(/\.tsx?$/, '')}.js`
    if (!existsSync(target)) throw new Error(`${name} imports ${specifier}, which is not there.`)
    const relativePath = relative(dirname(file), target)
    return `${before}${quote}${relativePath.startsWith('.') ? relativePath : `./${relativePath}`}${quote}`
  })
  writeFileSync(file, code)
}
removeInternalTypes()
copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'))

/** Removes the declarations that none of the entries leads to: they are a sixth of the package.*/
function removeInternalTypes() {
  const declarations = readdirSync(dist, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.d.ts'))
    .map((name) => join(dist, name))
  const needed = new Set(declarations.filter((file) => dirname(file) === join(dist, 'package')))
  for (const file of needed) {
    for (const [, , , specifier] of readFileSync(file, 'utf8').matchAll(specifiers)) {
      needed.add(resolve(dirname(file), specifier.replace(/\.js$/, '.d.ts')))
    }
  }
  for (const file of declarations) if (!needed.has(file)) rmSync(file)
}
