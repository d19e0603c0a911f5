/** How a run stands, as a stream and a page are told. */
import type { ControlEvents } from '@/protocol/control-events'
import type { StoredRun } from '@/server/log/run-change'

export function runStateOf(run: StoredRun | undefined): ControlEvents['run.state'] {
  if (!run) return { run: null, status: 'unknown' }
  const { id, state, reason } = run
  return { run: id, status: state === 'stopping' ? 'running' : state, ...(reason && { reason }) }
}
