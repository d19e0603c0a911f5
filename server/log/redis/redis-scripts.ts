/**
 * What Redis runs for the log: each script is one step, which no other command can come between.
 * All keys share the hash tag `{sse}`, so that they lie in one slot of a cluster:
 *
 * - `log`, a string: the number of the format that the other keys have. A program of before format 2 expects a hash here, and fails.
 * - `state`, a hash: `head`, `time` and `token` of the newest append; `epoch` of the present term, the Redis process in which it began
 *   (`run`), and the process that began it (`by`); `trimmed`: the highest offset removed of any topic; `floor`: what topics had lost
 *   that are forgotten now; `caps`: until which offset events happened at which time at the latest, after the clock was set back.
 * - `terms`, a stream: the terms, by ids `<begin>-<n>`. `term`, a hash: the id of each epoch.
 * - `t:<topic>`, a stream: the events kept. Ids are `<offset>-0`.
 * - `live`, a stream: the newest appends, whatever their topic. The id is the offset of an append's last event, `after` the head before it.
 * - `trimmed`, a hash: for each topic known the highest offset removed.
 * - `ages`, a sorted set: the topics by the time of the first event kept.
 * - `k:<topic>:<key>`: idempotency keys, which expire; `keys:<topic>`, a sorted set: those of a topic by the offset of the last event.
 * - `a:<token>`: what an append answered, for its own second try. Expires.
 */
import { appendScript } from './append-script'
import { locateScript, readScript } from './read-scripts'
import { prelude } from './script-prelude'

/** Looks at the log, which is created when there is none. */
const headScript = `${prelude}
return { epoch, head, token }
`

/** By the names of the commands that run them. */
export const redisScripts = {
  logHead: headScript,
  logAppend: appendScript,
  logRead: readScript,
  logLocate: locateScript,
}
