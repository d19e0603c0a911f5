/** Reads with the `eventsource` package as it is: a native EventSource, which comes back by itself. */
import { EventSource } from 'eventsource'
import type { Ledger } from '../ledger'
import type { Random } from '../random'
import { createPace, pacedFetch } from './pace'
import {
  createRecorder,
  noteType,
  pathOf,
  type Reader,
  type ReaderCounts,
  type ReaderSetting,
} from './recorder'

export function startNativeReader(
  setting: ReaderSetting,
  ledger: Ledger,
  counts: ReaderCounts,
  random: Random,
  onRefused: (message: string) => void,
): Reader {
  const { name, origin, token } = setting
  const { record, take } = createRecorder(setting, ledger, counts)
  const pace = createPace(setting.manner, random)
  const fetchAtPace = pacedFetch(pace)
  const url = `${origin}${pathOf(setting, random.between(1, 400))}`
  let isOver = false

  const source = new EventSource(url, {
    fetch: (input, init) =>
      fetchAtPace(input, {
        ...init,
        headers: {
          ...init.headers,
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
        },
      }),
  })
  for (const type of ['connected', 'resync', 'message', noteType]) {
    source.addEventListener(type, ({ lastEventId, data }) => {
      if (!isOver) take(type, lastEventId, String(data))
    })
  }
  source.addEventListener('error', ({ code }) => {
    if (source.readyState === source.CLOSED && !isOver) {
      onRefused(`${name} asked for ${url} and got ${code}, which ends an EventSource for good`)
    }
  })

  return {
    record,
    calmDown: pace.calmDown,
    stop() {
      isOver = true
      source.close()
    },
  }
}
