/** Starts what the process needs before the first request, and ends the process when it can't be had. */
import { describeAccess } from '@/server/access/describe-access'
import { oncePerProcess } from '@/server/once-per-process'
import { drainOnSignals } from '@/server/node/drain-on-signal'
import { watchServerRequests } from '@/server/node/server-requests'
import { config, ConfigError } from '@/server/config'
import { LogError } from '@/server/log/event-log'
import { processHub } from '@/server/process-hub'
import { log } from '@/server/observe/journal'

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
