/**
 * Asks an app's `authorize` at the front door, where Next's own functions do not work: `cookies()` throws there. So at the door a grant
 * counts, and everything else is left to Next: the request goes on to it, `authorize` is asked again there, and that answer counts.
 */
import { askAuthorize } from './ask-app'
import type { Ask } from './own-access'

/** The door can't grant this request; Next has to answer it. */
export class LeftToNext extends Error {
  override name = 'LeftToNext'
}

export interface DoorAsk {
  /** @throws {LeftToNext} nothing was granted */
  atDoor: Ask
  /** @throws {Refusal} nothing was granted */
  behindDoor: Ask
}

/** So many requests in a row that only Next could grant: the door does nothing but cost time. */
const maxMisses = 3

export interface DoorMemory {
  /** Notes of the request that is under way why the door left it to Next. */
  leave: (reason: string) => void
  /** Why the door left the request that is under way to Next. Undefined when it never had it. */
  reasonLeft: () => string | undefined
}

/** `giveUp` is called when `authorize` can grant behind the door alone, with the reason. */
export function createDoorAsk(
  { leave, reasonLeft }: DoorMemory,
  giveUp: (reason: string) => void,
): DoorAsk {
  let misses = 0

  return {
    async atDoor(authorizer, request, topics) {
      let reason = 'it refused'
      try {
        const granted = await askAuthorize(authorizer, request, topics, (text, error) => {
          reason = error instanceof Error ? error.message : text
        })
        misses = 0
        return granted
      } catch (cause) {
        leave(reason)
        throw new LeftToNext('The front door could not grant it.', { cause })
      }
    },
    async behindDoor(authorizer, request, topics) {
      const granted = await askAuthorize(authorizer, request, topics)
      const reason = reasonLeft()
      if (reason === undefined) return granted
      misses++
      if (misses === maxMisses) {
        giveUp(
          `\`authorize\` granted ${maxMisses} requests there that it could not grant here. Of the last one it said here: ${reason}`,
        )
      }
      return granted
    },
  }
}
