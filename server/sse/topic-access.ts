/** Who may read and publish the topics of an app: as its route and its pages ask, and as the front door does. */
import type { Access } from '@/server/access/access'
import { createDoorAsk } from '@/server/access/door-ask'
import { ownAccess, type OwnRules } from '@/server/access/own-access'
import { tokenAccess } from '@/server/access/tokens/token-access'
import type { Engine } from '@/server/engine'

export interface TopicAccess {
  /** @throws {LeftToNext} where `authorize` of the app does not grant */
  atDoor: Access
  behindDoor: Access
}

/** `own`: how the app decides itself; undefined where tokens decide. `shut` leaves all of its requests to Next. */
export function topicAccess(
  { tokenRules, config, slots }: Engine,
  own: OwnRules | undefined,
  shut: (reason: string) => void,
): TopicAccess {
  if (!own) {
    const access = tokenAccess(tokenRules)
    return { atDoor: access, behindDoor: access }
  }
  const memory = {
    leave(reason: string) {
      const slot = slots.current()
      if (slot) slot.leftToNext = reason
    },
    reasonLeft: () => slots.current()?.leftToNext,
  }
  const { atDoor, behindDoor } = createDoorAsk(memory, shut)
  return {
    atDoor: ownAccess(own, config, atDoor),
    behindDoor: ownAccess(own, config, behindDoor),
  }
}
