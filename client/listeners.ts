/** Functions to call when something happens. */

export interface Listeners<T> {
  /** Returns a function that removes the listener. Adding a listener twice has no effect. */
  add: (listener: (told: T) => void) => () => void
  tell: (told: T) => void
}

export function createListeners<T>(): Listeners<T> {
  const listeners = new Set<(told: T) => void>()
  return {
    add(listener) {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
    tell(told) {
      for (const listener of listeners) listener(told)
    },
  }
}
