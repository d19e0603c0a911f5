/** Starts what the process needs before the first request, and ends the process when it can't be had. */
import { oncePerProcess } from '@/events/once-per-process'
import { drainOnSignals } from '@/http/drain-on-signal'
import { watchServerRequests } from '@/http/server-requests'
import { config, ConfigError } from '@/hub/config'
import { LogError } from '@/hub/event-log'
import { processHub } from '@/hub/process-hub'
import { log } from '@/observe/log'

export function start(): void {
  try {
    const { stallMs, drainMs, trustedProxies, isOpen, jwtSecret, directLane } = config()
    processHub()
    oncePerProcess('server-requests', () => {
      watchServerRequests({ stallMs, trustedProxies, directLane })
      drainOnSignals({ drainMs })
      if (isOpen) log.warn('Anyone may publish, because EVENTS_JWT_SECRET is not set.')
      else if (!jwtSecret) {
        log.warn('Nobody may publish over HTTP, because EVENTS_JWT_SECRET is not set.')
      }
    })
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof LogError)) throw error
    log.fatal({ err: error }, `next-sse can't start: ${error.message}`)
    // Next would log an error thrown here, and serve all the same.
    process.exit(1)
  }
}
