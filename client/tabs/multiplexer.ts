/**
 * Reads the topics of all tabs over one connection: a browser has six for each server, and each tab may read topics of its own. A stream
 * has a connection for itself until it has caught up. Then it is merged with the others.
 */
import type { Attempt, Connect, Connection, ConnectionEvent } from '@/client/connection/connection'
import { createOwnConnections } from '@/client/connection/own-connection'
import { parseCursor } from '@/protocol/cursor'
import { createMergedStreams, type CaughtUpStream, type MergedStreams } from './merged-streams'
import { readTopicsUrl, type TopicsUrl } from './read-topics-url'
import type { SharedStreamOptions } from './shared-stream'

/** Returns what connects the stream with these options: by itself, or merged with others. */
export type Multiplexer = (options: SharedStreamOptions) => Connect

/** So many streams may catch up at once. Others wait, so that the browser has connections left for pages. */
const mostCatchingUp = 3
/** A stream whose server does not say when it has caught up keeps others waiting for no longer. */
const catchUpMs = 5_000

interface Member extends CaughtUpStream {
  options: SharedStreamOptions
  stream: TopicsUrl
  attempt: Attempt
  reader: string | undefined
  connectAlone: Connect
  connection: Connection | undefined
  /** Undefined until it has caught up. */
  merged: MergedStreams | undefined
  timer: ReturnType<typeof setTimeout> | undefined
}

export function createMultiplexer(): Multiplexer {
  const waiting = new Set<Member>()
  const catchingUp = new Set<CaughtUpStream>()
  /** By server and reader. More than one when there are too many topics. */
  const mergedStreams = new Map<string, MergedStreams[]>()

  function startNext(): void {
    for (const member of waiting) {
      if (catchingUp.size >= mostCatchingUp) return
      waiting.delete(member)
      catchingUp.add(member)
      void start(member)
    }
  }

  async function start(member: Member): Promise<void> {
    const { attempt, connectAlone, tell } = member
    const own = new AbortController()
    member.closeOwn = () => own.abort()
    member.connection = await connectAlone({
      ...attempt,
      signal: own.signal,
      tell(...event) {
        note(member, event)
        tell(...event)
      },
    })
  }

  /** Notes where a stream with a connection for itself is. */
  function note(member: Member, event: ConnectionEvent): void {
    if (event[0] === 'opened') {
      member.timer = setTimeout(() => settle([member]), catchUpMs)
    } else if (event[0] === 'event') {
      member.cursor = event[1].id
    } else if (event[0] === 'facts') {
      const [, { lastEventId = member.cursor, reader }] = event
      member.cursor = lastEventId
      member.reader = reader ?? member.reader
      // With the reader, the server has said where the stream begins.
      const { stream, attempt } = member
      if (reader !== undefined && stream.isFromNow && attempt.cursor === '') join(member)
    } else if (event[0] === 'current') {
      join(member)
    }
  }

  /** These streams wait for nothing more, so that others may begin. */
  function settle(streams: Iterable<CaughtUpStream>): void {
    for (const stream of streams) catchingUp.delete(stream)
    startNext()
  }

  function join(member: Member): void {
    const { options, stream, reader, cursor } = member
    if (member.merged) return
    // Nobody knows whom such a server grants the topics to, or where they are.
    if (reader === undefined || !parseCursor(cursor)) {
      settle([member])
      return
    }
    const { route } = stream
    const key = JSON.stringify([route, options.withCredentials, reader])
    const known = mergedStreams.get(key) ?? []
    member.merged = known.find((one) => one.hasRoomFor(member.topics))
    if (!member.merged) {
      const connect = (url: () => string): Connect => ownConnections(options, url)
      member.merged = createMergedStreams({ connect, route, reader, onSettled: settle })
      mergedStreams.set(key, [...known, member.merged])
    }
    member.merged.add(member)
  }

  function leave(member: Member): void {
    clearTimeout(member.timer)
    waiting.delete(member)
    member.closeOwn()
    member.merged?.delete(member)
    settle([member])
  }

  return (options) => {
    const connectAlone = ownConnections(options, () => options.url)
    const stream = readTopicsUrl(options)
    if (!stream) return connectAlone
    return (attempt) => {
      const { cursor, reader, signal, tell } = attempt
      const { topics } = stream
      const member: Member = {
        topics,
        cursor,
        tell,
        closeOwn() {},
        options,
        stream,
        attempt,
        reader,
        connectAlone,
        connection: undefined,
        merged: undefined,
        timer: undefined,
      }
      signal.addEventListener('abort', () => leave(member))
      waiting.add(member)
      startNext()
      return {
        check() {
          const connection = member.merged?.connectionOf(member) ?? member.connection
          connection?.check()
        },
      }
    }
  }
}

function ownConnections(
  { withCredentials, cursorParam, types, connectTimeoutMs }: SharedStreamOptions,
  url: () => string,
): Connect {
  return createOwnConnections({
    url,
    withCredentials,
    cursorParam,
    types: new Set(types),
    connectTimeoutMs,
  })
}
