/** CPU time and memory of a process and all its descendants, read from /proc. */
import { readdirSync, readFileSync } from 'node:fs'

export interface Usage {
  /** CPU time so far, with that of children which have ended. */
  cpuMs: number
  /** Memory. A page that several processes share counts once. */
  bytes: number
}

// The kernel's USER_HZ, which is 100 wherever Node runs.
const tickMs = 10

export function usageOf(pid: number): Usage {
  const tree = processTree(pid)
  return {
    cpuMs: tree.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
    bytes: tree.reduce((sum, process) => sum + memoryOf(process.pid), 0),
  }
}

interface Process {
  pid: number
  parent: number
  cpuMs: number
}

function processTree(root: number): Process[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readProcess(Number(name)))
  const tree = all.filter(({ pid }) => pid === root)
  for (const { pid } of tree) tree.push(...all.filter(({ parent }) => parent === pid))
  return tree
}

/** Empty if the process has ended. @see https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
function readProcess(pid: number): Process[] {
  const stat = read(`/proc/${pid}/stat`)
  if (stat === undefined) return []
  // The name before the bracket may hold anything. From the third field on there are numbers.
  const fields = stat.slice(stat.lastIndexOf(') ') + 2).split(' ')
  const [parent, ...ticks] = [1, 11, 12, 13, 14].map((at) => Number(fields[at]))
  return [{ pid, parent: parent ?? 0, cpuMs: ticks.reduce((sum, n) => sum + n, 0) * tickMs }]
}

function memoryOf(pid: number): number {
  const [, kibibytes] = /^Pss: +(\d+) kB/m.exec(read(`/proc/${pid}/smaps_rollup`) ?? '') ?? []
  return Number(kibibytes ?? 0) * 1_024
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    // The process has ended.
    return undefined
  }
}
