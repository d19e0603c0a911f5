/** The tutorial's three greetings, two seconds apart, to many clients at once. */
import type { Figures, Load, Part } from './part'

const timeoutMs = 60_000

export const greetings: Part = {
  name: 'greetings',
  title: "The tutorial's three greetings",
  explained: `Clients that come at the same time, each until its stream has ended: four seconds when nobody waits for anybody. After ${timeoutMs / 1_000} s they are counted out.`,
  compared: ['all done, s'],
  loads: () => [1, 10, 50, 500].map(toClients),
}

function toClients(count: number): Load {
  return {
    name: count === 1 ? 'one client' : `${count} clients`,
    canBe: ({ greets }) => greets,
    async measure({ generator }): Promise<Figures> {
      const request = { path: '/events', count, text: 'I am fine', timeoutMs }
      const { done, tookMs } = await generator.readToTheEnd(request)
      return { 'all done, s': tookMs / 1_000, 'clients done': done }
    },
  }
}
