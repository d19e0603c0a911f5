/** Gates at which a render waits for a test: between what else would be one moment. */

interface Gate {
  reached: Promise<void>
  reach: () => void
  opened: Promise<void>
  open: () => void
}

/** Next bundles pages and routes apart, so they share the gates through the process. */
const shared = globalThis as { gates?: Map<string, Gate> }
const gates = (shared.gates ??= new Map())

/** Until a test closes a gate, nothing waits at it. */
export async function waitAt(moment: string): Promise<void> {
  const gate = gates.get(moment)
  gate?.reach()
  await gate?.opened
}

export function closeGate(moment: string): void {
  const [reached, reach] = signal()
  const [opened, open] = signal()
  gates.set(moment, { reached, reach, opened, open })
}

/** Resolves when a request waits at the gate. */
export async function untilReached(moment: string): Promise<void> {
  await gates.get(moment)?.reached
}

export function openGate(moment: string): void {
  gates.get(moment)?.open()
  gates.delete(moment)
}

function signal(): [told: Promise<void>, tell: () => void] {
  let tell = (): void => {}
  const told = new Promise<void>((resolve) => (tell = resolve))
  return [told, tell]
}
