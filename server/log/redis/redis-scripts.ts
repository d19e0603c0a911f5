/**
 * The scripts that Redis runs for the log. Redis runs each script atomically.
 * All keys share the hash tag `{sse}`, so that they are in one slot of a cluster:
 *
 * - `log`, a string: the format number of the other keys. A program older than format 2 expects a hash here, and fails.
 * - `state`, a hash: `head`, `time` and `token` of the newest append; `epoch` of the current term, the Redis process in which it began
 *   (`run`), and the process that began it (`by`); `trimmed`: the highest offset removed from any topic; `floor`: the highest offset
 *   removed from any topic that has since been forgotten; `caps`: after the clock was set back, the latest time that events up to an
 *   offset may have.
 * - `terms`, a stream: the terms, with ids `<begin>-<n>`. `term`, a hash: the id of each epoch.
 * - `t:<topic>`, a stream: the kept events. Ids are `<offset>-0`.
 * - `live`, a stream: the newest appends of all topics. The id is the offset of the append's last event; `after` is the head before it.
 * - `trimmed`, a hash: for each known topic, the highest offset removed.
 * - `own-ages`, a hash: the age limit of each topic that has its own, in milliseconds. `age-limits`, a set: these limits.
 * - `ages`, a sorted set: the topics without a limit of their own, by the time of their first kept event. `ages:<limit>`: those with it.
 * - `k:<topic>:<key>`: idempotency keys, which expire; `keys:<topic>`, a sorted set: the keys of a topic by the offset of the last event.
 * - `run:<topic>:<id>`, a hash: a run. Expires some time after its end. `newest:<topic>`: the id of the run that began last, likewise.
 * - `living`, a hash: for each topic with a living run, `<offset of its first event> <id>`.
 * - `stops:<topic>`, a sorted set: the ids of runs that were asked to stop before they began, by time. Expires.
 * - `a:<token>`: the answer to an append, in case the append is sent again. Expires.
 */
import { appendScript } from './append-script'
import { locateScript, readScript } from './read-scripts'
import { findRunScript, livingRunsScript } from './run-script'
import { prelude } from './script-prelude'

/** Reads the head. Creates the log if it does not exist. */
const headScript = `${prelude}
return { epoch, head, token }
`

/** The scripts by their command names. */
export const redisScripts = {
  logHead: headScript,
  logAppend: appendScript,
  logRead: readScript,
  logLocate: locateScript,
  logFindRun: findRunScript,
  logLivingRuns: livingRunsScript,
}
