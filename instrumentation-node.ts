/** Starts what the process needs before the first request, and ends the process when it can't be had. */
import { describeAccess } from '@/access/describe-access'
import { oncePerProcess } from '@/events/once-per-process'
import { drainOnSignals } from '@/http/drain-on-signal'
import { watchServerRequests } from '@/http/server-requests'
import { config, ConfigError } from '@/hub/config'
import { LogError } from '@/hub/event-log'
import { processHub } from '@/hub/process-hub'
import { log } from '@/observe/log'

export function start(): void {
  try {
    const { stallMs, drainMs, trustedProxies, directLane } = config()
    const { jwtSecret: secret, publicTopics, isOpen } = config()
    processHub()
    oncePerProcess('server-requests', () => {
      watchServerRequests({ stallMs, trustedProxies, directLane })
      drainOnSignals({ drainMs })
      const access = describeAccess({ secret, publicTopics, isOpen })
      if (secret === undefined) log.warn(access)
      else log.info(access)
    })
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof LogError)) throw error
    log.fatal({ err: error }, `next-sse can't start: ${error.message}`)
    // Next would log an error thrown here, and serve all the same.
    process.exit(1)
  }
}
